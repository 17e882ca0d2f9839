// The last price on the price axis, and below it how long its candle still runs.

/** @import { ISeriesPrimitive, ISeriesPrimitiveAxisView, SeriesAttachedParameter } from "lightweight-charts" */
/** @import { Candle } from "../data/candles.js" */
/** @import { ChartColors } from "./chart_colors.js" */
/** @import { AnyPriceSeries } from "./price_series.js" */

const LABEL_HEIGHT_PX = 17; // what the library draws at its font size

/**
 * In place of the library's own label, which has the last price in view; where the last price is
 * beyond the axis, this one stays at its end.
 * @implements {ISeriesPrimitive}
 */
export class LastPrice {
  #colors;
  /** @type {AnyPriceSeries | null} */
  #series = null;
  #requestUpdate = () => {};
  #price = Number.NaN;
  #isUp = true;
  #remaining = "";
  #views;

  /** @param {ChartColors} colors */
  constructor(colors) {
    this.#colors = colors;
    this.#views = [
      this.#label(0, () => this.#series?.priceFormatter().format(this.#price) ?? ""),
      this.#label(LABEL_HEIGHT_PX, () => this.#remaining),
    ];
  }

  /** @param {SeriesAttachedParameter} attached */
  attached({ series, requestUpdate }) {
    this.#series = /** @type {AnyPriceSeries} */ (series);
    this.#requestUpdate = requestUpdate;
  }

  priceAxisViews() {
    return this.#views;
  }

  /** @param {Candle | undefined} candle the newest, if there is one */
  show(candle) {
    this.#price = candle ? Number(candle.close) : Number.NaN;
    this.#isUp = this.#price >= Number(candle?.open);
    if (!candle) this.#remaining = "";
    this.#requestUpdate();
  }

  /** @param {string} remaining how long its candle still runs; none where it does not */
  showRemaining(remaining) {
    if (remaining === this.#remaining) return;
    this.#remaining = remaining;
    this.#requestUpdate();
  }

  /** @param {ChartColors} colors */
  recolor(colors) {
    this.#colors = colors;
  }

  /**
   * @param {number} below the last price, in px
   * @param {() => string} text
   * @returns {ISeriesPrimitiveAxisView}
   */
  #label(below, text) {
    return {
      coordinate: () => this.#y() + below,
      text,
      textColor: () => this.#colors.surface,
      backColor: () => this.#colors[this.#isUp ? "up" : "down"],
      visible: () => Number.isFinite(this.#y()) && text() !== "",
    };
  }

  /** That of the last price, or of the end of the axis that is nearest to it. */
  #y() {
    const y = this.#series?.priceToCoordinate(this.#price) ?? Number.NaN;
    const height = this.#series?.getPane().getHeight() ?? 0;
    const labels = this.#remaining ? 2 : 1;
    const lowest = height - LABEL_HEIGHT_PX * (labels - 1 / 2);
    return Math.max(LABEL_HEIGHT_PX / 2, Math.min(lowest, y));
  }
}
