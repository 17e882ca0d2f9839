// Lines over the candles, on the scale of the prices: it may be logarithmic, or in percent of the
// first price in view, which other series of the library would not share.
import { at } from "./columns.js";

/** @import { ISeriesPrimitive, Logical, SeriesAttachedParameter, Time } from "lightweight-charts" */
/** @import { Column } from "./columns.js" */

/** @typedef {{ column: Column, color: string }} Line */
/** @typedef {Parameters<import("lightweight-charts").IPrimitivePaneRenderer["draw"]>[0]} Target */

const LINE_WIDTH_PX = 1.5;
const THIN_LINE_WIDTH_PX = 1; // takes a third of the time to draw
const THIN_TO_SPACING_PX = 3; // of candles: below, there are many points

/** @implements {ISeriesPrimitive<Time>} */
export class Overlay {
  /** @type {readonly Line[]} */
  lines = [];
  /** @type {SeriesAttachedParameter<Time> | null} */
  #place = null;
  #views = [{ renderer: () => ({ draw: (/** @type {Target} */ target) => this.#draw(target) }) }];

  /** @param {SeriesAttachedParameter<Time>} place */
  attached(place) {
    this.#place = place;
  }

  detached() {
    this.#place = null;
  }

  paneViews() {
    return this.#views;
  }

  /** Draw again, with the next frame. */
  redraw() {
    this.#place?.requestUpdate();
  }

  /**
   * Keep the lines in view.
   * @param {Logical} from
   * @param {Logical} to
   */
  autoscaleInfo(from, to) {
    let minValue = Infinity;
    let maxValue = -Infinity;
    for (const { column } of this.lines) {
      const end = Math.min(column.length - 1, Math.ceil(to));
      for (let index = Math.max(0, Math.floor(from)); index <= end; index++) {
        const value = at(column, index);
        if (value < minValue) minValue = value;
        if (value > maxValue) maxValue = value;
      }
    }
    return minValue > maxValue ? null : { priceRange: { minValue, maxValue } };
  }

  /** @param {Target} target */
  #draw(target) {
    const timeScale = this.#place?.chart.timeScale();
    const range = timeScale?.getVisibleLogicalRange();
    if (!timeScale || !range) return;
    const from = Math.max(0, Math.floor(range.from) - 1);
    const to = Math.ceil(range.to) + 1;
    target.useMediaCoordinateSpace(({ context }) => {
      const isThin = timeScale.options().barSpacing < THIN_TO_SPACING_PX;
      context.lineWidth = isThin ? THIN_LINE_WIDTH_PX : LINE_WIDTH_PX;
      context.lineJoin = "round";
      for (const { column, color } of this.lines) {
        context.strokeStyle = color;
        context.beginPath();
        this.#trace(context, column, from, Math.min(to, column.length - 1));
        context.stroke();
      }
    });
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Column} column
   * @param {number} from index
   * @param {number} to index, included
   */
  #trace(context, column, from, to) {
    if (!this.#place) return;
    const { chart, series } = this.#place;
    const timeScale = chart.timeScale();
    let isBegun = false;
    for (let index = from; index <= to; index++) {
      const x = timeScale.logicalToCoordinate(/** @type {Logical} */ (index));
      const y = series.priceToCoordinate(at(column, index)); // of NaN it is NaN
      const isPoint = x !== null && y !== null && Number.isFinite(y);
      if (isPoint && isBegun) context.lineTo(x, y);
      else if (isPoint) context.moveTo(x, y);
      isBegun = isPoint;
    }
  }
}
