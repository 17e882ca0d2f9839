// Which coin to show where none is named.

const SAME_TIME_MS = 5 * 60_000; // by how much the days of coins that are traded end apart

/**
 * The one with the most trades of those that were traded in the last 24 hours; if none was, of
 * those that were traded last. A coin's day ends now, or with its last trade if that is longer ago.
 * @template {{ day: { closeTime: number, count: number } }} Coin
 * @param {Coin[]} coins
 * @returns {Coin | undefined}
 */
export function busiestOf(coins) {
  const latest = coins.reduce((time, { day }) => Math.max(time, day.closeTime), -Infinity);
  return coins
    .filter(({ day }) => day.closeTime >= latest - SAME_TIME_MS)
    .reduce(
      (found, coin) => (!found || coin.day.count > found.day.count ? coin : found),
      /** @type {Coin | undefined} */ (undefined),
    );
}
