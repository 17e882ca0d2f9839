// The indicators of the chart.
import { zoneOf } from "../../text/zone.js";
import { readColors } from "../chart_colors.js";
import { CandleColumns } from "./columns.js";
import { Overlay } from "./overlay.js";
import { PaneLegends } from "./pane_legends.js";
import { ShownStudy } from "./shown_study.js";
import { colorsOf, formatStudy, parseStudies } from "./studies.js";

/** @import { Candle, Candles } from "../../data/candles.js" */
/** @import { Formats } from "../../text/formats.js" */
/** @import { Zone } from "../../text/zone.js" */
/** @import { Chart } from "../chart.js" */
/** @import { Study } from "./studies.js" */

const DAY_MS = 86_400_000;
const LARGEST_SCALE = 18; // a picture cannot show more

/**
 * `stage` is what holds the chart, `legend` is for the values of what is drawn over the candles.
 * @typedef {{ stage: HTMLElement, legend: HTMLElement }} IndicatorElements
 */

export class Indicators {
  #elements;
  #chart;
  #formats;
  #onDayCut;
  #overlay = new Overlay();
  #paneLegends = new PaneLegends();
  #columns = new CandleColumns();
  /** @type {readonly Candle[]} */
  #list = [];
  /** As it stands in the address. */
  #text = "";
  /** @type {ShownStudy[]} */
  #studies = [];
  #scale = 0;
  #zone = zoneOf("UTC");
  /** The index of the candle whose values are shown. */
  #shownIndex = -1;
  /** The open time of the oldest candle when its day was last found to lack its first ones. */
  #cutTime = NaN;

  /**
   * @param {IndicatorElements} elements
   * @param {Chart} chart
   * @param {Formats} formats
   * @param {() => void} onDayCut is called where an indicator of the day lacks its first candles
   */
  constructor(elements, chart, formats, onDayCut) {
    this.#elements = elements;
    this.#chart = chart;
    this.#formats = formats;
    this.#onDayCut = onDayCut;
    chart.attachPrimitive(this.#overlay);
  }

  /** @param {string} text as it stands in the address */
  choose(text) {
    if (text === this.#text) return;
    this.#text = text;
    const before = this.#studies;
    this.#studies = [];
    for (const chosen of parseStudies(text)) {
      const shown = before.find(({ key }) => key === formatStudy(chosen));
      this.#studies.push(shown ?? this.#make(chosen, [...before, ...this.#studies]));
    }
    // Last: a pane stays where it is if another study of its kind replaces the only one.
    for (const study of before) if (!this.#studies.includes(study)) study.remove();
    this.recolor();
    this.#cutTime = NaN;
    this.#completeDay();
    this.#holdLegends();
    requestAnimationFrame(() => this.drawLegend(this.#shownIndex)); // the library has its panes then
  }

  /**
   * Begin with another coin, interval or zone, without candles.
   * @param {Zone} zone by whose clocks days begin
   */
  reset(zone) {
    this.#zone = zone;
    this.draw({ list: [], isComplete: false }, 0);
    this.drawLegend(-1);
  }

  /**
   * @param {Pick<Candles, "list" | "isComplete">} candles
   * @param {number} changedFrom index of the first candle that is not drawn as it is
   */
  draw({ list, isComplete }, changedFrom) {
    // Once it is known that nothing came before the first day, that has its average, too.
    const from = isComplete === this.#columns.isComplete ? changedFrom : 0;
    if (from >= list.length && from > 0) return;
    this.#list = list;
    this.#columns.update(list, from, isComplete, (openTime) => this.#dayOf(openTime));
    for (const study of this.#studies) study.draw(list, from, this.#columns);
    this.#overlay.redraw();
    this.#completeDay();
  }

  /** @param {number} index of the candle whose values are to be shown */
  drawLegend(index) {
    this.#shownIndex = index;
    for (const study of this.#studies) study.drawLegend(index);
    this.#paneLegends.place();
  }

  /** @param {number} scale of prices */
  setScale(scale) {
    const shown = Math.min(scale, LARGEST_SCALE);
    if (shown === this.#scale) return;
    this.#scale = shown;
    for (const study of this.#studies) study.setScale(shown);
  }

  /** Take the colors that the style sheet has now. */
  recolor() {
    const colors = readColors(this.#elements.stage);
    const numbers = colorsOf(this.#studies);
    this.#overlay.lines = this.#studies.flatMap((study, index) => {
      study.recolor(numbers[index] ?? [], colors);
      study.draw(this.#list, 0, this.#columns);
      return study.lines;
    });
    this.#overlay.redraw();
  }

  /**
   * @param {Study} chosen
   * @param {readonly ShownStudy[]} others
   */
  #make(chosen, others) {
    const pane = others.find(({ kind }) => kind === chosen.kind)?.pane;
    const study = new ShownStudy(chosen, this.#chart.api, pane, this.#formats);
    study.setScale(this.#scale);
    return study;
  }

  #holdLegends() {
    const { legend, stage } = this.#elements;
    const overCandles = this.#studies.filter(({ pane }) => !pane);
    legend.replaceChildren(...overCandles.map((study) => study.legend.element));
    this.#paneLegends.hold(this.#studies);
    stage.style.setProperty("--panes", String(this.#paneLegends.count));
  }

  /** @param {number} openTime */
  #dayOf(openTime) {
    return Math.floor(this.#zone.clock(openTime).getTime() / DAY_MS);
  }

  /** Ask for the first candles of the newest day, if they are needed; once for each oldest one. */
  #completeDay() {
    const oldestTime = this.#list[0]?.openTime ?? NaN;
    const isNeeded = this.#studies.some(({ kind }) => kind === "vwap");
    if (!isNeeded || !this.#columns.isDayCut || oldestTime === this.#cutTime) return;
    this.#cutTime = oldestTime;
    this.#onDayCut();
  }
}
