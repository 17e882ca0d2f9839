// In which order the list has its coins. No DOM.

/** @import { Coin } from "./coins.js" */

/** @typedef {"coin" | "price" | "change" | "turnover"} Column */
/** @typedef {{ column: Column, isDescending: boolean }} CoinOrder */

/** @type {CoinOrder} */
export const DEFAULT_ORDER = { column: "coin", isDescending: false };

/**
 * What a column is sorted by; undefined for the names.
 * @type {Readonly<Record<Column, ((coin: Coin) => number) | undefined>>}
 */
const FIGURES = {
  coin: undefined,
  price: ({ day }) => Number(day.lastPrice),
  change: ({ day }) => Number(day.lastPrice) / Number(day.openPrice),
  turnover: ({ day }) => Number(day.quoteVolume),
};

/** @param {unknown} name */
function isColumn(name) {
  return typeof name === "string" && Object.hasOwn(FIGURES, name);
}

/**
 * The order that was kept; the default one if it is none.
 * @param {unknown} kept
 * @returns {CoinOrder}
 */
export function parseOrder(kept) {
  const { column, isDescending } = /** @type {Partial<CoinOrder>} */ (kept ?? {});
  if (!isColumn(column) || typeof isDescending !== "boolean") return DEFAULT_ORDER;
  return { column: /** @type {Column} */ (column), isDescending };
}

/**
 * The order after a click on the head of a column: figures begin with the largest.
 * @param {CoinOrder} order
 * @param {string | undefined} column
 * @returns {CoinOrder}
 */
export function turnOrder(order, column) {
  if (!isColumn(column)) return order;
  const isDescending = order.column === column ? !order.isDescending : column !== "coin";
  return { column: /** @type {Column} */ (column), isDescending };
}

/**
 * @param {readonly Coin[]} coins by name, which they keep where they are equal
 * @param {CoinOrder} order
 */
export function sortCoins(coins, { column, isDescending }) {
  const figureOf = FIGURES[column];
  if (!figureOf) return isDescending ? coins.toReversed() : [...coins];
  const sign = isDescending ? -1 : 1;
  return coins
    .map((coin) => ({ coin, figure: figureOf(coin) }))
    .sort((one, other) => sign * (one.figure - other.figure))
    .map(({ coin }) => coin);
}

/**
 * The names in the order that they had, then the new ones.
 * @param {readonly string[]} names
 * @param {readonly string[]} wanted
 * @param {(name: string) => boolean} exists
 */
export function keepOrder(names, wanted, exists) {
  const known = new Set(names);
  return [...names.filter(exists), ...wanted.filter((name) => !known.has(name))];
}
