// The coins with their figures of the last 24 hours. No DOM.
import { scaleOf } from "../text/decimal_format.js";

/** @import { DayTicker, MiniTicker, SymbolInfo } from "../data/wire_format.js" */

/**
 * How many digits behind the decimal point a coin's figures are shown with.
 * @typedef {{ price: number, amount: number }} Scales
 */

/**
 * `day` is replaced, not changed, when a figure changes.
 * @typedef {{ name: string, scales: Scales, day: DayTicker }} Coin
 */

const collator = new Intl.Collator("en", { numeric: true });

export class Coins {
  /** @type {Map<string, Coin>} */
  #coins = new Map();

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

  /** The coin with the most trades in the last 24 hours; undefined where there are no coins. */
  busiest() {
    /** @type {Coin | undefined} */
    let found;
    for (const coin of this.#coins.values()) {
      if (!found || coin.day.count > found.day.count) found = coin;
    }
    return found;
  }

  /**
   * @param {SymbolInfo[]} symbols
   * @param {DayTicker[]} days
   */
  update(symbols, days) {
    const dayOf = new Map(days.map((day) => [day.symbol, day]));
    this.#coins.clear(); // all trades of a coin may be void
    const sorted = symbols.toSorted((one, other) => collator.compare(one.symbol, other.symbol));
    for (const { symbol, filters } of sorted) {
      const day = dayOf.get(symbol);
      if (!day) continue; // it came between the two responses; the next ones have it
      const scales = {
        price: scaleOf(filterValue(filters, "PRICE_FILTER", "tickSize")),
        amount: scaleOf(filterValue(filters, "LOT_SIZE", "stepSize")),
      };
      this.#coins.set(symbol, { name: symbol, scales, day });
    }
  }

  /**
   * Update a coin's last 24 hours; return whether the coin is known.
   * @param {MiniTicker} ticker
   */
  tick({ s, c, o, h, l, v, q }) {
    const coin = this.#coins.get(s);
    if (!coin) return false;
    coin.day = {
      ...coin.day,
      lastPrice: c,
      openPrice: o,
      highPrice: h,
      lowPrice: l,
      volume: v,
      quoteVolume: q,
    };
    return true;
  }
}

/**
 * @param {SymbolInfo["filters"]} filters
 * @param {string} type
 * @param {string} name
 */
function filterValue(filters, type, name) {
  const value = filters.find(({ filterType }) => filterType === type)?.[name];
  if (value === undefined) throw new Error(`exchangeInfo has no ${name} in ${type}`);
  return value;
}
