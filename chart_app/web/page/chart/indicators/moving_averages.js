// Simple, exponential and Wilder's moving average.
//
// The exponential one begins with the simple mean of the first values and weighs the newest by
// 2 / (length + 1), as TA-Lib's EMA and TradingView's `ta.ema` do; Wilder's weighs it by 1 / length
// (J. Welles Wilder, New Concepts in Technical Trading Systems, 1978; TradingView's `ta.rma`).
import { at } from "./columns.js";

/** @import { CandleColumns, Column } from "./columns.js" */

export class SimpleAverage {
  columns = { average: /** @type {Column} */ ([]) };
  #length;

  /** @param {number} length */
  constructor(length) {
    this.#length = length;
  }

  /** @param {CandleColumns} candles */
  extend({ closes }) {
    extendSimple(this.columns.average, closes, this.#length);
  }
}

export class ExponentialAverage {
  columns = { average: /** @type {Column} */ ([]) };
  #length;

  /** @param {number} length */
  constructor(length) {
    this.#length = length;
  }

  /** @param {CandleColumns} candles */
  extend({ closes }) {
    extendExponential(this.columns.average, closes, this.#length);
  }
}

/**
 * @param {Column} results
 * @param {Column} values
 * @param {number} length
 */
export function extendSimple(results, values, length) {
  for (let index = results.length; index < values.length; index++) {
    results.push(index < length - 1 ? NaN : mean(values, index + 1, length));
  }
}

/**
 * @param {Column} results
 * @param {Column} values
 * @param {number} length
 * @param {number} [first] index of the first value there is
 */
export function extendExponential(results, values, length, first = 0) {
  extendWeighted(results, values, length, 2 / (length + 1), first);
}

/**
 * @param {Column} results
 * @param {Column} values
 * @param {number} length
 * @param {number} first index of the first value there is
 */
export function extendWilder(results, values, length, first) {
  extendWeighted(results, values, length, 1 / length, first);
}

/**
 * @param {Column} results
 * @param {Column} values
 * @param {number} length
 * @param {number} weight of the newest value
 * @param {number} first
 */
function extendWeighted(results, values, length, weight, first) {
  const seed = first + length - 1;
  for (let index = results.length; index < values.length; index++) {
    if (index < seed) {
      results.push(NaN);
    } else if (index === seed) {
      results.push(mean(values, index + 1, length));
    } else {
      const before = at(results, index - 1);
      results.push(before + weight * (at(values, index) - before));
    }
  }
}

/**
 * The mean of the values before an index. It adds up differences from the first of them, so that
 * large prices keep their digits, and equal ones have themselves as mean.
 * @param {Column} values
 * @param {number} end
 * @param {number} length
 */
function mean(values, end, length) {
  const first = at(values, end - length);
  let sum = 0;
  for (let index = end - length + 1; index < end; index++) sum += at(values, index) - first;
  return first + sum / length;
}
