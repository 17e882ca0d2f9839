// The latest trades, newest on top.
import { second } from "./clock.js";
import { format } from "./decimal.js";

const SHOWN = 60;
/** One more than is shown, to compare the last one with. */
export const HELD = SHOWN + 1;

/** From /api/v3/trades. */
export const fromRow = ({ id, time, price, qty }) => ({ id, time, price, amount: qty });

/** From a trade event. */
export const fromEvent = ({ t, T, p, q }) => ({ id: t, time: T, price: p, amount: q });

export class Tape {
  #body;
  #trades = []; // newest first

  constructor(body) {
    this.#body = body;
  }

  /** Take trades in any order; each is held once. */
  add(trades) {
    const ids = new Set(this.#trades.map(({ id }) => id));
    this.#trades.push(...trades.filter(({ id }) => !ids.has(id)));
    this.#trades.sort((one, other) => other.id - one.id);
    this.#trades.length = Math.min(this.#trades.length, HELD);
  }

  clear() {
    this.#trades = [];
    this.#body.replaceChildren();
  }

  draw(digits) {
    const shown = this.#trades.slice(0, SHOWN);
    while (this.#body.rows.length < shown.length) {
      const row = this.#body.insertRow();
      for (let column = 0; column < 3; column++) row.insertCell();
    }
    shown.forEach((trade, index) => {
      const [time, price, amount] = this.#body.rows[index].cells;
      time.textContent = second(trade.time);
      price.textContent = format(trade.price, digits.price);
      price.dataset.direction = direction(this.#trades[index + 1]?.price, trade.price);
      amount.textContent = format(trade.amount, digits.amount);
    });
  }
}

function direction(before, price) {
  const step = before === undefined ? 0 : Math.sign(Number(price) - Number(before));
  return { "-1": "down", 0: "flat", 1: "up" }[step];
}
