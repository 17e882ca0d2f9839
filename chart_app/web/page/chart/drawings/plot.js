// Where times and prices are on the picture, by the library's scales.
import { intervalMs } from "../../settings/intervals.js";
import { positionAt, timeAt } from "./time_axis.js";

/** @import { Logical, SeriesAttachedParameter, Time } from "lightweight-charts" */
/** @import { Anchor } from "./drawing.js" */
/** @import { Point } from "./geometry.js" */

/** @typedef {Pick<SeriesAttachedParameter, "chart" | "series">} Attached */

export class Plot {
  /** @type {Attached | null} */
  #attached = null;
  /**
   * The open times in ms of the candles that are drawn; null until they are asked for.
   * @type {number[] | null}
   */
  #times = null;
  #intervalMs = Number.NaN;
  #forget = () => {
    this.#times = null;
  };

  /** @param {string} interval of the candles */
  setInterval(interval) {
    this.#intervalMs = intervalMs(interval);
  }

  /** @param {Attached} attached */
  attach({ chart, series }) {
    this.detach();
    this.#attached = { chart, series };
    series.subscribeDataChanged(this.#forget);
  }

  detach() {
    this.#attached?.series.unsubscribeDataChanged(this.#forget);
    this.#attached = null;
    this.#forget();
  }

  /** Of the pane with the prices, in px. */
  get size() {
    const { chart, series } = this.#attached ?? {};
    const height = series?.getPane().getHeight() ?? 0;
    return { width: chart?.timeScale().width() ?? 0, height };
  }

  /** The pane's place on the screen; null where there is none. */
  get place() {
    const { chart, series } = this.#attached ?? {};
    const pane = series?.getPane().getHTMLElement()?.getBoundingClientRect();
    if (!chart || !pane) return null;
    const { width, height } = this.size;
    return new DOMRect(pane.left + chart.priceScale("left").width(), pane.top, width, height);
  }

  /** From one candle to the next, in px. */
  get barSpacing() {
    return (this.#candleAt(1) ?? 0) - (this.#candleAt(0) ?? 0);
  }

  /**
   * @param {Anchor} anchor
   * @returns {Point | null}
   */
  toPoint({ time, price }) {
    const position = positionAt(this.#openTimes(), this.#intervalMs, time);
    const y = this.toY(price);
    const origin = this.#candleAt(0);
    if (position === null || y === null || origin === null) return null;
    return { x: origin + position * this.barSpacing, y };
  }

  /**
   * @param {Point} point
   * @returns {Anchor | null}
   */
  toAnchor({ x, y }) {
    const origin = this.#candleAt(0);
    const price = this.#attached?.series.coordinateToPrice(y) ?? null;
    if (origin === null || price === null) return null;
    const position = (x - origin) / this.barSpacing;
    const time = timeAt(this.#openTimes(), this.#intervalMs, position);
    return time === null ? null : { time, price };
  }

  /** @param {number} price */
  toY(price) {
    const y = this.#attached?.series.priceToCoordinate(price) ?? null;
    return y !== null && Number.isFinite(y) ? Number(y) : null;
  }

  /**
   * The newest candle in view, at the middle of the prices.
   * @returns {Anchor | null}
   */
  start() {
    const { width, height } = this.size;
    const times = this.#openTimes();
    const edge = this.toAnchor({ x: width, y: height / 2 });
    if (!edge) return null;
    const time = times.findLast((each) => each <= edge.time);
    return time === undefined ? null : { time, price: edge.price };
  }

  /**
   * As the chart shows it, for who does not see it.
   * @param {Anchor} anchor
   */
  format({ time, price }) {
    const { chart } = this.#attached ?? {};
    const { timeFormatter } = chart?.options().localization ?? {};
    const at = timeFormatter?.(/** @type {Time} */ (time / 1000)) ?? "";
    return { time: at, price: this.formatPrice(price) };
  }

  /** @param {number} price */
  formatPrice(price) {
    return this.#attached?.series.priceFormatter().format(price) ?? "";
  }

  /**
   * Where a candle is, counted from the oldest; null where there are none.
   * @param {number} index
   */
  #candleAt(index) {
    const timeScale = this.#attached?.chart.timeScale();
    return timeScale?.logicalToCoordinate(/** @type {Logical} */ (index)) ?? null;
  }

  #openTimes() {
    this.#times ??= this.#attached?.series.data().map(({ time }) => Number(time) * 1000) ?? [];
    return this.#times;
  }
}
