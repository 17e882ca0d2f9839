// The alerts of a coin as lines on its chart.
import { readColors } from "../chart/chart_colors.js";
import { LineStyle } from "../lightweight-charts.mjs";

/** @import { IPriceLine } from "lightweight-charts" */
/** @import { Chart } from "../chart/chart.js" */
/** @import { AnyPriceSeries } from "../chart/price_series.js" */
/** @import { Alert } from "./alert.js" */

const TOLERANCE_PX = 10;

export class AlertLines {
  #container;
  #series;
  #title;
  /** @type {readonly Alert[]} */
  #alerts = [];
  /** @type {IPriceLine[]} */
  #lines = [];

  /**
   * @param {Chart} chart
   * @param {HTMLElement} container whose style has the colors
   * @param {string} title of each line
   */
  constructor(chart, container, title) {
    this.#series = chart.priceSeries;
    this.#container = container;
    this.#title = title;
    chart.onSeriesChange((series) => this.#moveTo(series));
    document.addEventListener("themechange", () => this.#draw());
  }

  /**
   * Whether one of the lines is there, or as near as a finger is exact.
   * @param {number} y in px
   */
  isAt(y) {
    return this.#alerts.some(({ price }) => {
      const line = this.#series.priceToCoordinate(Number(price));
      return line !== null && Math.abs(line - y) <= TOLERANCE_PX;
    });
  }

  /** @param {readonly Alert[]} alerts */
  show(alerts) {
    this.#alerts = alerts;
    this.#draw();
  }

  /** @param {AnyPriceSeries} series in place of one that is gone, with its lines */
  #moveTo(series) {
    this.#series = series;
    this.#lines = [];
    this.#draw();
  }

  #draw() {
    for (const line of this.#lines) this.#series.removePriceLine(line);
    const { alert, surface } = readColors(this.#container);
    this.#lines = this.#alerts.map(({ price }) =>
      this.#series.createPriceLine({
        price: Number(price),
        title: this.#title,
        color: alert,
        lineWidth: 1,
        lineStyle: LineStyle.LargeDashed,
        axisLabelTextColor: surface,
      }),
    );
  }
}
