// The volume-weighted average price of the day: the typical prices of its candles up to one of
// them, each weighted by its volume.
//
// As TradingView's VWAP of the session: the typical price is (high + low + close) / 3, and each
// day begins anew. A day of which the first candles are not loaded has no values.
import { at } from "./columns.js";

/** @import { CandleColumns, Column } from "./columns.js" */

export class Vwap {
  columns = {
    average: /** @type {Column} */ ([]),
    /** Of the day so far, as volume. */
    turnover: /** @type {Column} */ ([]),
    volume: /** @type {Column} */ ([]),
  };

  /** @param {CandleColumns} candles */
  extend({ days, typicals, volumes, isComplete }) {
    const { average, turnover, volume } = this.columns;
    for (let index = average.length; index < days.length; index++) {
      const isSameDay = index > 0 && at(days, index) === at(days, index - 1);
      const start = index === 0 && !isComplete ? NaN : 0;
      const traded = at(volumes, index);
      volume.push((isSameDay ? at(volume, index - 1) : start) + traded);
      turnover.push((isSameDay ? at(turnover, index - 1) : start) + traded * at(typicals, index));
      average.push(at(turnover, index) / at(volume, index));
    }
  }
}
