// The candles as a table: the same as the picture, for those who read.
import { opening } from "./clock.js";
import { format } from "./decimal.js";

export class Table {
  #body;
  #rows = []; // oldest first, as the candles; the page shows the newest on top

  constructor(body) {
    this.#body = body;
  }

  /** Show a list of candles of which those before an index are shown already. */
  draw(list, from, interval, digits) {
    if (from < this.#rows.length - 1 || !this.#rows.length) {
      this.clear();
      from = 0;
    }
    for (const candle of list.slice(from)) {
      const index = from++;
      const row = rowOf(candle, interval, digits);
      if (this.#rows[index]) this.#rows[index].replaceWith(row);
      else this.#body.prepend(row);
      this.#rows[index] = row;
    }
  }

  clear() {
    this.#body.replaceChildren();
    this.#rows = [];
  }
}

function rowOf(candle, interval, digits) {
  const row = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = opening(candle.time, interval);
  row.append(head);
  const prices = [candle.open, candle.high, candle.low, candle.close];
  for (const text of [
    ...prices.map((text) => format(text, digits.price)),
    format(candle.volume, digits.amount),
    format(String(candle.trades), 0),
  ]) {
    row.insertCell().textContent = text;
  }
  return row;
}
