// The relative strength index: of all rises and falls, how much rose, in percent.
//
// 100 - 100 / (1 + rises / falls), which is 100 * rises / (rises + falls), of Wilder's moving
// averages: J. Welles Wilder, New Concepts in Technical Trading Systems, 1978. What it is where
// nothing moved he leaves open, and programs differ; here it is 50, neither strong nor weak.
import { at } from "./columns.js";
import { extendWilder } from "./moving_averages.js";

/** @import { CandleColumns, Column } from "./columns.js" */

export class Rsi {
  columns = {
    strength: /** @type {Column} */ ([]),
    rises: /** @type {Column} */ ([]),
    falls: /** @type {Column} */ ([]),
    meanRise: /** @type {Column} */ ([]),
    meanFall: /** @type {Column} */ ([]),
  };
  #length;

  /** @param {number} length */
  constructor(length) {
    this.#length = length;
  }

  /** @param {CandleColumns} candles */
  extend({ closes }) {
    const { strength, rises, falls, meanRise, meanFall } = this.columns;
    for (let index = rises.length; index < closes.length; index++) {
      const change = index ? at(closes, index) - at(closes, index - 1) : NaN;
      rises.push(Math.max(change, 0));
      falls.push(Math.max(-change, 0));
    }
    extendWilder(meanRise, rises, this.#length, 1);
    extendWilder(meanFall, falls, this.#length, 1);
    for (let index = strength.length; index < closes.length; index++) {
      const rise = at(meanRise, index);
      const moved = rise + at(meanFall, index);
      strength.push(moved === 0 ? 50 : (100 * rise) / moved);
    }
  }
}
