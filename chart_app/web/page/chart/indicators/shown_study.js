// An indicator of the chart: computed, drawn, and its values in a legend.
import { cut } from "./columns.js";
import { KINDS } from "./kinds.js";
import { PaneSeries } from "./pane_series.js";
import { formatStudy, shortName } from "./studies.js";
import { StudyLegend } from "./study_legend.js";

/** @import { IChartApi, IPaneApi, Time } from "lightweight-charts" */
/** @import { Candle } from "../../data/candles.js" */
/** @import { Formats } from "../../text/formats.js" */
/** @import { ChartColors } from "../chart_colors.js" */
/** @import { CandleColumns, Column } from "./columns.js" */
/** @import { Plot } from "./kinds.js" */
/** @import { Line } from "./overlay.js" */
/** @import { Study } from "./studies.js" */

const PERCENT_SCALE = 2;

export class ShownStudy {
  kind;
  /** What differs between any two studies. */
  key;
  legend;
  /** Its lines over the candles; none of one in a pane. */
  lines = /** @type {Line[]} */ ([]);
  #formats;
  #formula;
  #scale = PERCENT_SCALE;
  /**
   * In a pane; of one over the candles there are none.
   * @type {{ plot: Plot, series: PaneSeries }[]}
   */
  #series = [];

  /**
   * @param {Study} study
   * @param {IChartApi} chart
   * @param {IPaneApi<Time> | undefined} pane of another study of the kind, if there is one
   * @param {Formats} formats
   */
  constructor(study, chart, pane, formats) {
    const { isOverlay, make, plots } = KINDS[study.kind];
    this.kind = study.kind;
    this.key = formatStudy(study);
    this.#formats = formats;
    this.#formula = make(...study.values);
    this.legend = new StudyLegend(shortName(study), plots, this.#formula.columns);
    if (isOverlay) return;
    const paneIndex = pane?.paneIndex() ?? chart.panes().length;
    for (const plot of plots) {
      const series = new PaneSeries(chart, paneIndex, this.#column(plot), plot.color === null);
      this.#series.push({ plot, series });
    }
  }

  get pane() {
    return this.#series[0]?.series.pane;
  }

  remove() {
    this.legend.element.remove();
    for (const { series } of this.#series) series.remove();
  }

  /**
   * @param {readonly Candle[]} list
   * @param {number} from index of the first candle that changed
   * @param {CandleColumns} candles the figures of the list
   */
  draw(list, from, candles) {
    cut(Object.values(this.#formula.columns), from);
    this.#formula.extend(candles);
    for (const { series } of this.#series) series.draw(list, from);
  }

  /** @param {number} index of the candle */
  drawLegend(index) {
    this.legend.draw(index, (value) => this.#formats.number(value, this.#scale));
  }

  /** @param {number} scale of prices */
  setScale(scale) {
    this.#scale = KINDS[this.kind].percent ? PERCENT_SCALE : scale;
    for (const { series } of this.#series) series.setScale(this.#scale, this.#formats);
  }

  /**
   * Bars take their colors with the next draw() from 0.
   * @param {readonly number[]} numbers of its own colors, in the style sheet
   * @param {ChartColors} colors
   */
  recolor(numbers, colors) {
    const { isOverlay, percent, plots } = KINDS[this.kind];
    this.legend.recolor(numbers);
    for (const { plot, series } of this.#series) {
      series.recolor(colorOf(plot, numbers, colors), colors);
      if (percent) series.setRange(percent, colors.muted);
    }
    if (!isOverlay) return;
    this.lines = plots.map((plot) => ({
      column: this.#column(plot),
      color: colorOf(plot, numbers, colors),
    }));
  }

  /**
   * @param {Plot} plot
   * @returns {Column}
   */
  #column({ column }) {
    return this.#formula.columns[column] ?? [];
  }
}

/**
 * @param {Plot} plot
 * @param {readonly number[]} numbers
 * @param {ChartColors} colors
 */
function colorOf({ color }, numbers, colors) {
  const number = color === null ? undefined : numbers[color];
  return colors[/** @type {keyof ChartColors} */ (`study-${number}`)] ?? colors.muted;
}
