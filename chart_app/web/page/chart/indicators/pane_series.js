// One column of an indicator, as a line or as bars in a pane below the candles.
import {
  HistogramSeries,
  LineSeries,
  LineStyle,
  PriceScaleMode,
} from "../../lightweight-charts.mjs";
import { chartTime } from "../chart_time.js";
import { at } from "./columns.js";

/** @import { IChartApi, IPriceLine } from "lightweight-charts" */
/** @import { Candle } from "../../data/candles.js" */
/** @import { Formats } from "../../text/formats.js" */
/** @import { ChartColors } from "../chart_colors.js" */
/** @import { Column } from "./columns.js" */
/** @import { Kind } from "./kinds.js" */

const PANE_STRETCH = 0.6; // the candles have 2
const SCALE_OPTIONS = {
  mode: PriceScaleMode.Normal, // else a pane has that of the prices
  scaleMargins: { top: 0.25, bottom: 0.08 }, // the legend is on top
};
const LINE_WIDTH_PX = /** @type {const} */ (1); // wider ones take a multiple of the time to draw

export class PaneSeries {
  #chart;
  #column;
  #series;
  /**
   * Of bars: from zero on, and below; a line has one.
   * @type {{ above: string, below: string } | null}
   */
  #barColors = null;
  #isBars;
  /** @type {IPriceLine[]} */
  #marks = [];
  /** The open time (ms) of the newest candle that is drawn. */
  #newestTime = -Infinity;

  /**
   * @param {IChartApi} chart
   * @param {number} paneIndex that of a new pane, if there is none
   * @param {Column} column
   * @param {boolean} isBars
   */
  constructor(chart, paneIndex, column, isBars) {
    this.#chart = chart;
    this.#column = column;
    this.#isBars = isBars;
    const isNewPane = paneIndex === chart.panes().length;
    const options = { lastValueVisible: false, priceLineVisible: false };
    this.#series = isBars
      ? chart.addSeries(HistogramSeries, options, paneIndex)
      : chart.addSeries(LineSeries, { ...options, lineWidth: LINE_WIDTH_PX }, paneIndex);
    if (!isNewPane) return;
    this.pane.setStretchFactor(PANE_STRETCH);
    this.#series.priceScale().applyOptions(SCALE_OPTIONS);
  }

  get pane() {
    return this.#series.getPane();
  }

  /**
   * @param {readonly Candle[]} list
   * @param {number} from index of the first candle that is not drawn as it is
   */
  draw(list, from) {
    const changed = list.slice(from);
    // Only the newest bar and newer ones can be updated in place; from 0 bars may be gone.
    if (from > 0 && changed.every(({ openTime }) => openTime >= this.#newestTime)) {
      for (const [step, candle] of changed.entries()) {
        this.#series.update(this.#point(candle, from + step));
      }
    } else {
      this.#series.setData(list.map((candle, index) => this.#point(candle, index)));
    }
    this.#newestTime = list.at(-1)?.openTime ?? -Infinity;
  }

  /**
   * Bars take their colors with the next draw() from 0.
   * @param {string} line
   * @param {ChartColors} colors
   */
  recolor(line, colors) {
    if (this.#isBars) this.#barColors = { above: colors["up-soft"], below: colors["down-soft"] };
    else this.#series.applyOptions({ color: line });
  }

  /**
   * @param {number} scale of what the axis shows
   * @param {Formats} formats
   */
  setScale(scale, formats) {
    this.#series.applyOptions({
      priceFormat: {
        type: "custom",
        formatter: (/** @type {number} */ number) => formats.number(number, scale),
        minMove: 10 ** -scale,
        base: 10 ** scale, // 1 / minMove is no whole number for some
      },
    });
  }

  /**
   * Let the axis always show the same range, with lines across it.
   * @param {NonNullable<Kind["percent"]>} percent
   * @param {string} color
   */
  setRange({ range: [minValue, maxValue], marks }, color) {
    this.#series.applyOptions({
      autoscaleInfoProvider: () => ({ priceRange: { minValue, maxValue } }),
    });
    for (const mark of this.#marks) this.#series.removePriceLine(mark);
    this.#marks = marks.map((price) =>
      this.#series.createPriceLine({
        price,
        color,
        lineWidth: LINE_WIDTH_PX,
        lineStyle: LineStyle.Dashed,
        axisLabelVisible: false,
      }),
    );
  }

  /** With the last of a pane, the library removes the pane. */
  remove() {
    this.#chart.removeSeries(this.#series);
  }

  /**
   * @param {Candle} candle
   * @param {number} index
   */
  #point({ openTime }, index) {
    const time = chartTime(openTime);
    const value = at(this.#column, index);
    if (!Number.isFinite(value)) return { time };
    const colors = this.#barColors;
    return colors
      ? { time, value, color: value < 0 ? colors.below : colors.above }
      : { time, value };
  }
}
