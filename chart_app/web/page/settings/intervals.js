// The intervals of candles.

export const INTERVALS = "1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M".split(" ");
export const DEFAULT_INTERVAL = "1m";

/** @param {string} interval */
export const isDayOrLonger = (interval) => /[dwM]$/.test(interval);
