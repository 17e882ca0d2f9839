// The intervals of candles.

export const INTERVALS = "1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M".split(" ");
export const DEFAULT_INTERVAL = "1m";

const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, M: 2_629_746_000 };

/** @param {string} interval */
export const isDayOrLonger = (interval) => /[dwM]$/.test(interval);

/**
 * How long a candle is; of a month, on average.
 * @param {string} interval
 */
export function intervalMs(interval) {
  const unit = /** @type {keyof typeof UNITS_MS} */ (interval.slice(-1));
  return Number.parseInt(interval, 10) * UNITS_MS[unit];
}
