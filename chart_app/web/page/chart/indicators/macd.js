// Moving average convergence/divergence: a fast exponential moving average less a slow one. The
// signal is the exponential moving average of that, the histogram what is between both.
//
// Gerald Appel, Technical Analysis: Power Tools for Active Investors, 2005; TradingView's `ta.macd`.
import { at } from "./columns.js";
import { extendExponential } from "./moving_averages.js";

/** @import { CandleColumns, Column } from "./columns.js" */

export class Macd {
  columns = {
    macd: /** @type {Column} */ ([]),
    signal: /** @type {Column} */ ([]),
    histogram: /** @type {Column} */ ([]),
    fast: /** @type {Column} */ ([]),
    slow: /** @type {Column} */ ([]),
  };
  #lengths;

  /**
   * @param {number} fast length
   * @param {number} slow length
   * @param {number} signal length
   */
  constructor(fast, slow, signal) {
    this.#lengths = { fast, slow, signal };
  }

  /** @param {CandleColumns} candles */
  extend({ closes }) {
    const { macd, signal, histogram, fast, slow } = this.columns;
    const lengths = this.#lengths;
    extendExponential(fast, closes, lengths.fast);
    extendExponential(slow, closes, lengths.slow);
    for (let index = macd.length; index < closes.length; index++) {
      macd.push(at(fast, index) - at(slow, index));
    }
    extendExponential(signal, macd, lengths.signal, Math.max(lengths.fast, lengths.slow) - 1);
    for (let index = histogram.length; index < closes.length; index++) {
      histogram.push(at(macd, index) - at(signal, index));
    }
  }
}
