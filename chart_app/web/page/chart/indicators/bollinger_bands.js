// Bollinger bands: the simple moving average, and so many standard deviations above and below it.
//
// The deviation is that of the population (divided by the length), as John Bollinger defines it:
// Bollinger on Bollinger Bands, 2001; TA-Lib's BBANDS and TradingView's `ta.bb` do the same.
import { at } from "./columns.js";
import { extendSimple } from "./moving_averages.js";

/** @import { CandleColumns, Column } from "./columns.js" */

export class BollingerBands {
  columns = {
    middle: /** @type {Column} */ ([]),
    upper: /** @type {Column} */ ([]),
    lower: /** @type {Column} */ ([]),
  };
  #length;
  #width;

  /**
   * @param {number} length
   * @param {number} width of the half above, in standard deviations
   */
  constructor(length, width) {
    this.#length = length;
    this.#width = width;
  }

  /** @param {CandleColumns} candles */
  extend({ closes }) {
    const { middle, upper, lower } = this.columns;
    extendSimple(middle, closes, this.#length);
    for (let index = upper.length; index < closes.length; index++) {
      const mean = at(middle, index);
      let squares = 0;
      for (let near = Math.max(0, index - this.#length + 1); near <= index; near++) {
        squares += (at(closes, near) - mean) ** 2;
      }
      const deviation = Math.sqrt(squares / this.#length);
      upper.push(mean + this.#width * deviation);
      lower.push(mean - this.#width * deviation);
    }
  }
}
