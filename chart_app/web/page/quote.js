// The chosen coin in figures: its price, its last 24 hours, and one candle in a line.
import { formatInterval } from "./text/interval_format.js";
import { formatZonedOpenTime, formatZonedSecond } from "./text/time_format.js";

/** @import { Candle } from "./data/candles.js" */
/** @import { Buckets } from "./settings/buckets.js" */
/** @import { Formats } from "./text/formats.js" */
/** @import { Say, TextName } from "./text/texts.js" */
/** @import { Coin, Scales } from "./coins/coins.js" */
/** @import { Assets } from "./data/store.js" */
/** @import { Zone } from "./text/zone.js" */

/**
 * @typedef {Record<
 *   "coin" | "price" | "change" | "asOf" | "high" | "low" | "volume" | "turnover" | "count" | "summary" | "legend",
 *   HTMLElement
 * >} QuoteElements
 */

export class Quote {
  #elements;
  #say;
  #formats;

  /**
   * @param {QuoteElements} elements
   * @param {Say} say
   * @param {Formats} formats
   */
  constructor(elements, say, formats) {
    this.#elements = elements;
    this.#say = say;
    this.#formats = formats;
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
    this.#elements.asOf.hidden = true;
    document.title = `${name} – ${this.#say("title")}`;
  }

  /**
   * The price is that of the newest candle, if there is one.
   * @param {Coin} coin
   * @param {Candle | undefined} newest
   * @param {Assets | null} assets
   */
  drawDay({ name, day, scales }, newest, assets) {
    const { price, change, high, low, volume, turnover, count } = this.#elements;
    const formats = this.#formats;
    const last = newest?.close ?? day.lastPrice;
    const { direction, text } = formats.change(day.openPrice, last);
    price.textContent = formats.decimal(last, scales.price);
    price.style.setProperty("--characters", String(price.textContent.length));
    change.textContent = text;
    change.dataset.direction = direction;
    high.textContent = formats.decimal(day.highPrice, scales.price);
    low.textContent = formats.decimal(day.lowPrice, scales.price);
    volume.textContent = withUnit(formats.compact(day.volume), assets?.base);
    turnover.textContent = withUnit(formats.compact(day.quoteVolume), assets?.quote);
    count.textContent = formats.decimal(String(day.count), 0);
    document.title = `${price.textContent} ${name} – ${this.#say("title")}`;
  }

  /**
   * Say of when the figures are, where that is long ago.
   * @param {number | null} time in ms
   * @param {Zone} zone
   */
  drawAsOf(time, zone) {
    const { asOf } = this.#elements;
    asOf.hidden = time === null;
    asOf.textContent =
      time === null ? "" : this.#say("asOf", { time: formatZonedSecond(time, zone) });
  }

  /**
   * Show one candle above the chart.
   * @param {Candle} candle
   * @param {Buckets} buckets
   * @param {Scales} scales
   */
  drawLegend(candle, buckets, scales) {
    const formats = this.#formats;
    /** @type {[TextName, string][]} */
    const named = [
      ["openInitial", formats.decimal(candle.open, scales.price)],
      ["highInitial", formats.decimal(candle.high, scales.price)],
      ["lowInitial", formats.decimal(candle.low, scales.price)],
      ["closeInitial", formats.decimal(candle.close, scales.price)],
      ["volumeInitial", formats.decimal(candle.volume, 0)],
    ];
    const figures = named.map(([name, value]) =>
      span("figure", span("name", this.#say(name)), value),
    );
    const openTime = span("time", formatZonedOpenTime(candle.openTime, buckets));
    const { direction, text } = formats.change(candle.open, candle.close);
    const change = span("change", text);
    change.dataset.direction = direction;
    this.#elements.legend.replaceChildren(openTime, ...figures, change);
  }

  /**
   * Describe the newest candle in a sentence, for screen readers.
   * @param {Coin} coin
   * @param {Candle} candle
   * @param {Buckets} buckets
   */
  drawSummary({ name, scales }, candle, buckets) {
    const formats = this.#formats;
    this.#elements.summary.textContent = this.#say("summary", {
      coin: name,
      interval: formatInterval(buckets.interval, this.#say),
      openTime: formatZonedOpenTime(candle.openTime, buckets),
      open: formats.decimal(candle.open, scales.price),
      high: formats.decimal(candle.high, scales.price),
      low: formats.decimal(candle.low, scales.price),
      close: formats.decimal(candle.close, scales.price),
      volume: formats.decimal(candle.volume, 0),
      trades: formats.decimal(String(candle.trades), 0),
    });
  }
}

/**
 * @param {string} figure
 * @param {string | undefined} unit
 */
const withUnit = (figure, unit) => (unit === undefined ? figure : `${figure} ${unit}`);

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
