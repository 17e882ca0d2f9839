// The names of the live streams.

/** @import { Buckets } from "../settings/buckets.js" */

/** The last 24 hours of all coins. */
export const MINI_TICKERS = "!miniTicker@arr";

/**
 * @param {string} coin
 * @param {Buckets} buckets
 */
export const klineStream = (coin, { interval, timeZone }) =>
  `${coin}@kline_${interval}@${timeZone}`;

/** @param {string} coin */
export const tradeStream = (coin) => `${coin}@trade`;

/**
 * The last 24 hours of a coin, with their count of trades.
 * @param {string} coin
 */
export const tickerStream = (coin) => `${coin}@ticker`;
