// What indicators compute with: columns of numbers, one a candle, oldest first. NaN is no value.

/** @import { Candle } from "../../data/candles.js" */

/** @typedef {number[]} Column */

/**
 * An indicator with its lengths. Its columns are continued by `extend` to the length of the
 * candles; each value depends on candles up to its own, and on values before it.
 * @typedef {object} Formula
 * @property {Readonly<Record<string, Column>>} columns
 * @property {(candles: CandleColumns) => void} extend
 */

/**
 * @param {Column} column
 * @param {number} index within it
 */
export const at = (column, index) => /** @type {number} */ (column[index]);

/**
 * Drop what is no longer as it is.
 * @param {readonly Column[]} columns
 * @param {number} from index of the first candle that changed
 */
export function cut(columns, from) {
  for (const column of columns) column.length = Math.min(column.length, from);
}

/** The figures of a list of candles. */
export class CandleColumns {
  /** @type {Column} */
  closes = [];
  /**
   * The mean of high, low and close.
   * @type {Column}
   */
  typicals = [];
  /** @type {Column} */
  volumes = [];
  /**
   * A number that is another one each day.
   * @type {Column}
   */
  days = [];
  /** Whether there are no candles before these. */
  isComplete = false;

  /** Whether the newest day may lack its first candles. */
  get isDayCut() {
    return !this.isComplete && this.days.length > 0 && this.days[0] === this.days.at(-1);
  }

  /**
   * @param {readonly Candle[]} list
   * @param {number} from index of the first candle that changed
   * @param {boolean} isComplete
   * @param {(openTime: number) => number} dayOf
   */
  update(list, from, isComplete, dayOf) {
    this.isComplete = isComplete;
    cut([this.closes, this.typicals, this.volumes, this.days], from);
    for (const { openTime, high, low, close, volume } of list.slice(this.closes.length)) {
      this.closes.push(Number(close));
      this.typicals.push((Number(high) + Number(low) + Number(close)) / 3);
      this.volumes.push(Number(volume));
      this.days.push(dayOf(openTime));
    }
  }
}
