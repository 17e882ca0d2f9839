// Which prices a candle has had since it was last seen.

/** @import { Candle } from "../data/candles.js" */

/**
 * Its last price, and its extremes where they are new: between two events the price may have
 * been there and back.
 * @param {Candle | undefined} before the newest candle as it was
 * @param {Candle} now the newest candle
 * @returns {string[]}
 */
export function pricesSince(before, now) {
  if (!before) return [now.close];
  const isSame = now.openTime === before.openTime;
  const extremes = [
    { price: now.high, isNew: !isSame || Number(now.high) > Number(before.high) },
    { price: now.low, isNew: !isSame || Number(now.low) < Number(before.low) },
  ];
  return [...extremes.filter(({ isNew }) => isNew).map(({ price }) => price), now.close];
}
