// The candles as a table, newest on top.
import { formatOpenTime } from "../text/time_format.js";

/** @import { Candle } from "../data/candles.js" */
/** @import { Scales } from "../coins/coins.js" */
/** @import { Buckets } from "../settings/buckets.js" */
/** @import { Formats } from "../text/formats.js" */

export class CandleTable {
  #body;
  #formats;
  /**
   * Oldest first, as the candles.
   * @type {HTMLTableRowElement[]}
   */
  #rows = [];

  /**
   * @param {HTMLTableSectionElement} body
   * @param {Formats} formats
   */
  constructor(body, formats) {
    this.#body = body;
    this.#formats = formats;
  }

  /**
   * @param {Candle[]} list
   * @param {number} from index of the first candle that is not in the table as it is
   * @param {Buckets} buckets
   * @param {Scales} scales
   */
  draw(list, from, buckets, scales) {
    const isAppended = from > 0 && this.#rows.length > 0 && from >= this.#rows.length - 1;
    if (!isAppended) this.clear();
    let index = isAppended ? from : 0;
    for (const candle of list.slice(index)) {
      const row = rowOf(candle, buckets, scales, this.#formats);
      const drawn = this.#rows[index];
      if (drawn) drawn.replaceWith(row);
      else this.#body.prepend(row);
      this.#rows[index++] = row;
    }
  }

  clear() {
    this.#body.replaceChildren();
    this.#rows = [];
  }
}

/**
 * @param {Candle} candle
 * @param {Buckets} buckets
 * @param {Scales} scales
 * @param {Formats} formats
 */
function rowOf(candle, buckets, scales, formats) {
  const row = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = formatOpenTime(candle.openTime, buckets);
  row.append(head);
  const prices = [candle.open, candle.high, candle.low, candle.close];
  for (const text of [
    ...prices.map((price) => formats.decimal(price, scales.price)),
    formats.decimal(candle.volume, 0),
    formats.decimal(String(candle.trades), 0),
  ]) {
    row.insertCell().textContent = text;
  }
  return row;
}
