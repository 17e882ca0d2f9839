// A price that the reader wants to hear of. No DOM.
import { compareDecimals } from "../text/decimal_format.js";

/**
 * From which side the last price comes to it: from below it rises to the price or above.
 * @typedef {"rise" | "fall"} Move
 */

/**
 * One of a coin and a price; prices are decimals.
 * @typedef {{ coin: string, price: string, move: Move }} Alert
 */

const LONGEST_PRICE = 100; // no price of a trade is longer

/**
 * Whether a text is a price that one can wait for: a positive decimal.
 * @param {string} text
 */
export const isPrice = (text) =>
  text.length <= LONGEST_PRICE && /^\d+(\.\d+)?$/.test(text) && /[1-9]/.test(text);

/**
 * Undefined where the last price is there already.
 * @param {string} coin
 * @param {string} price
 * @param {string} lastPrice
 * @returns {Alert | undefined}
 */
export function alertAt(coin, price, lastPrice) {
  const side = compareDecimals(price, lastPrice);
  return side === 0 ? undefined : { coin, price, move: side > 0 ? "rise" : "fall" };
}

/**
 * Whether a last price is at the alert's, or has crossed it.
 * @param {Alert} alert
 * @param {string} lastPrice
 */
export function isReached({ price, move }, lastPrice) {
  const side = compareDecimals(lastPrice, price);
  return move === "rise" ? side >= 0 : side <= 0;
}

/**
 * @param {Alert} one
 * @param {Alert} other
 */
export const isSame = (one, other) =>
  one.coin === other.coin && compareDecimals(one.price, other.price) === 0;
