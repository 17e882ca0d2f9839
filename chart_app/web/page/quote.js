// The chosen coin in figures: its price, its last 24 hours, and one candle in a line.
import { format, formatCompact, priceChange } from "./text/decimal_format.js";
import { formatOpenTime } from "./text/time_format.js";

/** @import { Candle } from "./data/candles.js" */
/** @import { Say } from "./text/texts.js" */
/** @import { Coin, Scales } from "./coins/coin_list.js" */

/**
 * @typedef {Record<
 *   "coin" | "price" | "change" | "high" | "low" | "volume" | "turnover" | "count" | "summary" | "legend",
 *   HTMLElement
 * >} QuoteElements
 */

export class Quote {
  #elements;
  #say;

  /**
   * @param {QuoteElements} elements
   * @param {Say} say
   */
  constructor(elements, say) {
    this.#elements = elements;
    this.#say = say;
  }

  /**
   * Begin with another coin, without figures.
   * @param {string} name
   */
  reset(name) {
    const { coin, ...figures } = this.#elements;
    coin.textContent = name;
    coin.title = name;
    for (const element of Object.values(figures)) element.textContent = "";
    document.title = `${name} – ${this.#say("title")}`;
  }

  /**
   * The price is that of the newest candle, if there is one.
   * @param {Coin} coin
   * @param {Candle | undefined} newest
   */
  drawDay({ name, day, scales }, newest) {
    const { price, change, high, low, volume, turnover, count } = this.#elements;
    const last = newest?.close ?? day.lastPrice;
    const { direction, text } = priceChange(day.openPrice, last);
    price.textContent = format(last, scales.price);
    change.textContent = text;
    change.dataset.direction = direction;
    high.textContent = format(day.highPrice, scales.price);
    low.textContent = format(day.lowPrice, scales.price);
    volume.textContent = formatCompact(day.volume);
    turnover.textContent = formatCompact(day.quoteVolume);
    count.textContent = format(String(day.count), 0);
    document.title = `${price.textContent} ${name} – ${this.#say("title")}`;
  }

  /**
   * Show one candle above the chart.
   * @param {Candle} candle
   * @param {string} interval
   * @param {Scales} scales
   */
  drawLegend(candle, interval, scales) {
    const figures = [
      span("figure", span("name", this.#say("openInitial")), format(candle.open, scales.price)),
      span("figure", span("name", this.#say("highInitial")), format(candle.high, scales.price)),
      span("figure", span("name", this.#say("lowInitial")), format(candle.low, scales.price)),
      span("figure", span("name", this.#say("closeInitial")), format(candle.close, scales.price)),
      span(
        "figure",
        span("name", this.#say("volumeInitial")),
        format(candle.volume, scales.amount),
      ),
    ];
    const openTime = span("time", `${formatOpenTime(candle.openTime, interval)} UTC`);
    const { direction, text } = priceChange(candle.open, candle.close);
    const change = span("change", text);
    change.dataset.direction = direction;
    this.#elements.legend.replaceChildren(openTime, ...figures, change);
  }

  /**
   * Describe the newest candle in a sentence, for screen readers.
   * @param {Coin} coin
   * @param {Candle} candle
   * @param {string} interval
   */
  drawSummary({ name, scales }, candle, interval) {
    this.#elements.summary.textContent = this.#say("summary", {
      coin: name,
      interval,
      openTime: formatOpenTime(candle.openTime, interval),
      open: format(candle.open, scales.price),
      high: format(candle.high, scales.price),
      low: format(candle.low, scales.price),
      close: format(candle.close, scales.price),
      volume: format(candle.volume, scales.amount),
      trades: String(candle.trades),
    });
  }
}

/**
 * @param {string} className
 * @param {...(Node | string)} content
 */
function span(className, ...content) {
  const element = document.createElement("span");
  element.className = className;
  element.append(...content);
  return element;
}
