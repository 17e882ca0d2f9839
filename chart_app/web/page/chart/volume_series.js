// The volume of each candle, as a column below the prices.
import { HistogramSeries } from "../lightweight-charts.mjs";
import { chartTime } from "./chart_time.js";

/** @import { IChartApi } from "lightweight-charts" */
/** @import { Candle } from "../data/candles.js" */
/** @import { ChartColors } from "./chart_colors.js" */

export class VolumeSeries {
  #series;
  #colors;

  /**
   * @param {IChartApi} chart
   * @param {ChartColors} colors
   */
  constructor(chart, colors) {
    this.#series = chart.addSeries(HistogramSeries, {
      priceScaleId: "",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.#series.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    this.#colors = colors;
  }

  /** @param {Candle[]} list */
  set(list) {
    this.#series.setData(list.map((candle) => this.#bar(candle)));
  }

  /** @param {Candle} candle the newest, or a newer one */
  update(candle) {
    this.#series.update(this.#bar(candle));
  }

  /**
   * @param {ChartColors} colors
   * @param {Candle[]} list
   */
  recolor(colors, list) {
    this.#colors = colors;
    this.set(list);
  }

  /** @param {Candle} candle */
  #bar({ openTime, open, close, volume }) {
    const color = this.#colors[Number(close) >= Number(open) ? "up-soft" : "down-soft"];
    return { time: chartTime(openTime), value: Number(volume), color };
  }
}
