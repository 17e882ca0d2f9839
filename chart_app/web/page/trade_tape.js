// The latest trades, newest on top.
import { formatPastSecond } from "./text/time_format.js";

/** @import { Scales } from "./coins/coins.js" */
/** @import { Direction } from "./text/decimal_format.js" */
/** @import { Formats } from "./text/formats.js" */
/** @import { Zone } from "./text/zone.js" */

/**
 * @typedef {object} Trade
 * @property {number} id
 * @property {number} time in ms
 * @property {string} price
 * @property {string} amount
 */

const SHOWN = 60;
/** One more than is shown, to compare the last one with. */
export const HELD = SHOWN + 1;

export class TradeTape {
  #body;
  #formats;
  /**
   * Newest first.
   * @type {Trade[]}
   */
  #trades = [];
  /**
   * Those that came since what is to be loaded was asked for.
   * @type {Trade[] | null}
   */
  #early = null;
  /** @type {{ row: HTMLElement, time: HTMLElement, price: HTMLElement, amount: HTMLElement }[]} */
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
   * Add trades in any order; each is held once.
   * @param {Trade[]} trades
   */
  add(trades) {
    if (this.#early) this.#early = [...trades, ...this.#early].slice(0, HELD);
    this.#hold(trades);
  }

  /** Let what is loaded from now on take the place of what is held: trades may be void. */
  renew() {
    this.#early = [];
  }

  /**
   * Add loaded trades.
   * @param {Trade[]} trades
   */
  load(trades) {
    this.#trades = [];
    this.#hold([...trades, ...(this.#early ?? [])]);
    this.#early = null;
  }

  /** @param {Trade[]} trades */
  #hold(trades) {
    const ids = new Set(this.#trades.map(({ id }) => id));
    for (const trade of trades) {
      if (!ids.has(trade.id)) this.#trades.push(trade);
      ids.add(trade.id);
    }
    this.#trades.sort((one, other) => other.id - one.id);
    this.#trades.length = Math.min(this.#trades.length, HELD);
  }

  clear() {
    this.#trades = [];
    this.#early = null;
    this.#rows = [];
    this.#body.replaceChildren();
  }

  /** When the latest of the trades held was (ms); -Infinity where there is none. */
  get latestTime() {
    return this.#trades.reduce((latest, { time }) => Math.max(latest, time), -Infinity);
  }

  /**
   * @param {Scales} scales
   * @param {number} now in ms
   * @param {Zone} zone
   */
  draw(scales, now, zone) {
    for (const [index, trade] of this.#trades.slice(0, SHOWN).entries()) {
      const { time, price, amount } = this.#row(index);
      time.textContent = formatPastSecond(trade.time, now, zone);
      price.textContent = this.#formats.decimal(trade.price, scales.price);
      price.dataset.direction = directionOf(this.#trades[index + 1]?.price, trade.price);
      amount.textContent = this.#formats.decimal(trade.amount, 0);
    }
    for (const { row } of this.#rows.splice(this.#trades.length)) row.remove();
  }

  /**
   * The row of an index, at most one below the last.
   * @param {number} index
   */
  #row(index) {
    const held = this.#rows[index];
    if (held) return held;
    const row = this.#body.insertRow();
    const [time, price, amount] = [row.insertCell(), row.insertCell(), row.insertCell()];
    this.#rows.push({ row, time, price, amount });
    return { time, price, amount };
  }
}

/**
 * @param {string | undefined} before price of the trade before
 * @param {string} price
 * @returns {Direction}
 */
function directionOf(before, price) {
  if (before === undefined || Number(price) === Number(before)) return "flat";
  return Number(price) > Number(before) ? "up" : "down";
}
