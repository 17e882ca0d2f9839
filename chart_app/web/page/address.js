// Coin and interval as they stand in the page's address.
import { DEFAULT_INTERVAL, INTERVALS } from "./intervals.js";

/**
 * What is to be shown; without a coin, the one with the most trades.
 * @typedef {{ coin: string | null, interval: string }} Selection
 */

/**
 * @param {string} query as in `location.search`
 * @returns {Selection}
 */
export function parseAddress(query) {
  const parameters = new URLSearchParams(query);
  const interval = parameters.get("interval");
  return {
    coin: parameters.get("coin"),
    interval: interval !== null && INTERVALS.includes(interval) ? interval : DEFAULT_INTERVAL,
  };
}

/** @param {Selection} selection */
export function formatAddress({ coin, interval }) {
  return `?${new URLSearchParams(coin === null ? { interval } : { coin, interval })}`;
}
