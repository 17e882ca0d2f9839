// Times on the axis of the chart, which counts candles: between two of them a time is
// interpolated, beyond them each interval is one candle.

/**
 * Where a time is, in candles from the oldest, or fractions of them.
 * @param {readonly number[]} times those at which the candles open, in ms, oldest first
 * @param {number} intervalMs
 * @param {number} time
 */
export function positionAt(times, intervalMs, time) {
  const oldest = times[0];
  const newest = times.at(-1);
  if (oldest === undefined || newest === undefined) return null;
  if (time < oldest) return (time - oldest) / intervalMs;
  if (time >= newest) return times.length - 1 + (time - newest) / intervalMs;
  let low = 0; // opens at the time or before
  let high = times.length - 1; // opens after it
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (/** @type {number} */ (times[middle]) <= time) low = middle;
    else high = middle;
  }
  const from = /** @type {number} */ (times[low]);
  const to = /** @type {number} */ (times[high]);
  return low + (time - from) / (to - from);
}

/**
 * The time at a position, in whole ms: the other way round.
 * @param {readonly number[]} times
 * @param {number} intervalMs
 * @param {number} position
 */
export function timeAt(times, intervalMs, position) {
  const oldest = times[0];
  const newest = times.at(-1);
  if (oldest === undefined || newest === undefined) return null;
  const last = times.length - 1;
  if (position < 0) return Math.round(oldest + position * intervalMs);
  if (position >= last) return Math.round(newest + (position - last) * intervalMs);
  const index = Math.floor(position);
  const from = /** @type {number} */ (times[index]);
  const to = /** @type {number} */ (times[index + 1]);
  return Math.round(from + (position - index) * (to - from));
}
