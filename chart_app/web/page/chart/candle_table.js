// The candles as a table, newest on top.
import { format } from "../text/decimal_format.js";
import { formatOpenTime } from "../text/time_format.js";

/** @import { Candle } from "../data/candles.js" */
/** @import { Scales } from "../coins/coin_list.js" */

export class CandleTable {
  #body;
  /**
   * Oldest first, as the candles.
   * @type {HTMLTableRowElement[]}
   */
  #rows = [];

  /** @param {HTMLTableSectionElement} body */
  constructor(body) {
    this.#body = body;
  }

  /**
   * @param {Candle[]} list
   * @param {number} from index of the first candle that is not in the table as it is
   * @param {string} interval
   * @param {Scales} scales
   */
  draw(list, from, interval, scales) {
    const isAppended = from > 0 && this.#rows.length > 0 && from >= this.#rows.length - 1;
    if (!isAppended) this.clear();
    let index = isAppended ? from : 0;
    for (const candle of list.slice(index)) {
      const row = rowOf(candle, interval, scales);
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
 * @param {string} interval
 * @param {Scales} scales
 */
function rowOf(candle, interval, scales) {
  const row = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = formatOpenTime(candle.openTime, interval);
  row.append(head);
  const prices = [candle.open, candle.high, candle.low, candle.close];
  for (const text of [
    ...prices.map((price) => format(price, scales.price)),
    format(candle.volume, scales.amount),
    format(String(candle.trades), 0),
  ]) {
    row.insertCell().textContent = text;
  }
  return row;
}
