// The chosen coin in figures: its price, its last 24 hours, and one candle in a line.
import { format, formatCompact, priceChange } from "./decimal_format.js";
import { formatOpenTime } from "./time_format.js";

/** @import { Candle } from "./candles.js" */
/** @import { Coin, Scales } from "./coin_list.js" */

/**
 * @typedef {Record<
 *   "coin" | "price" | "change" | "high" | "low" | "volume" | "turnover" | "count" | "summary" | "legend",
 *   HTMLElement
 * >} QuoteElements
 */

export class Quote {
  #elements;

  /** @param {QuoteElements} elements */
  constructor(elements) {
    this.#elements = elements;
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
    document.title = `${name} – Trade Streaming`;
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
    document.title = `${price.textContent} ${name} – Trade Streaming`;
  }

  /**
   * Show one candle above the chart.
   * @param {Candle} candle
   * @param {string} interval
   * @param {Scales} scales
   */
  drawLegend(candle, interval, scales) {
    const figures = [
      span("figure", span("name", "O"), format(candle.open, scales.price)),
      span("figure", span("name", "H"), format(candle.high, scales.price)),
      span("figure", span("name", "L"), format(candle.low, scales.price)),
      span("figure", span("name", "C"), format(candle.close, scales.price)),
      span("figure", span("name", "V"), format(candle.volume, scales.amount)),
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
    const openTime = formatOpenTime(candle.openTime, interval);
    const open = format(candle.open, scales.price);
    const high = format(candle.high, scales.price);
    const low = format(candle.low, scales.price);
    const close = format(candle.close, scales.price);
    const volume = format(candle.volume, scales.amount);
    this.#elements.summary.textContent =
      `${name}, latest ${interval} candle, opened ${openTime} UTC: ` +
      `open ${open}, high ${high}, low ${low}, close ${close}, ` +
      `volume ${volume} in ${candle.trades} trades.`;
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
