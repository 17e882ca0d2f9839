// The coins with their figures of the last 24 hours. No DOM.
import { dayFromEvent } from "../data/wire_format.js";
import { scaleOf } from "../text/decimal_format.js";
import { busiestOf } from "./default_coin.js";

/** @import { DayTicker, TickerEvent } from "../data/wire_format.js" */

/**
 * How many digits behind the decimal point a coin's prices are shown with; amounts have no
 * zeros at their end.
 * @typedef {{ price: number }} Scales
 */

/**
 * `day` is replaced, not changed, when a figure changes.
 * @typedef {{ name: string, scales: Scales, day: DayTicker }} Coin
 */

const collator = new Intl.Collator("en", { numeric: true });

export class Coins {
  /** @type {Map<string, Coin>} */
  #coins = new Map();
  /**
   * What the newest event of each coin says.
   * @type {Map<string, Partial<DayTicker> & { closeTime: number }>}
   */
  #events = new Map();
  /** Whether all coins are there, not only the one that was loaded first. */
  isLoaded = false;

  /** All, by name. */
  get list() {
    return [...this.#coins.values()];
  }

  /** @param {string} name */
  get(name) {
    return this.#coins.get(name);
  }

  /** @param {string} name */
  has(name) {
    return this.#coins.has(name);
  }

  /**
   * The coin of exactly this name, else the one that differs in case only.
   * @param {string} name
   */
  find(name) {
    const lower = name.toLowerCase();
    return this.#coins.get(name) ?? this.list.find((coin) => coin.name.toLowerCase() === lower);
  }

  /** The coin to show where none is named; undefined where there are no coins. */
  busiest() {
    return busiestOf(this.list);
  }

  /**
   * Take these coins in place of those that it has: all trades of a coin may be void.
   * @param {DayTicker[]} days of all coins
   */
  update(days) {
    this.#coins.clear();
    const sorted = days.toSorted((one, other) => collator.compare(one.symbol, other.symbol));
    for (const day of sorted) this.put(day);
    this.isLoaded = true;
  }

  /**
   * Add a coin, or take its last 24 hours in place of those that it had. What its newest event says
   * stays, unless that is older: a response may have been computed before it, and come after it.
   * @param {DayTicker} response
   */
  put(response) {
    const event = this.#events.get(response.symbol);
    const isNewer = event && event.closeTime >= response.closeTime;
    const day = isNewer ? { ...response, ...event } : response;
    const scales = { price: scaleOf(day.lastPrice) };
    this.#coins.set(day.symbol, { name: day.symbol, scales, day });
  }

  /**
   * Update a coin's last 24 hours; return whether the coin is known.
   * @param {TickerEvent} event
   */
  tick(event) {
    const day = dayFromEvent(event);
    this.#events.set(event.s, day);
    const coin = this.#coins.get(event.s);
    if (!coin) return false;
    coin.day = { ...coin.day, ...day };
    return true;
  }
}
