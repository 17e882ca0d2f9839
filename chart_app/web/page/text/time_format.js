// Times in ms as text, by the clocks of a zone.
import { isDayOrLonger } from "../settings/intervals.js";

/** @import { Buckets } from "../settings/buckets.js" */
/** @import { Zone } from "./zone.js" */

/**
 * The time of day, with seconds.
 * @param {number} ms
 * @param {Zone} zone
 */
export function formatSecond(ms, zone) {
  return zone.clock(ms).toISOString().slice(-13, -5);
}

/**
 * A candle's open time: a date, with the time of day where a candle is shorter than a day.
 * @param {number} ms
 * @param {Pick<Buckets, "interval" | "zone">} buckets
 */
export function formatOpenTime(ms, { interval, zone }) {
  const [date = "", time = ""] = zone.clock(ms).toISOString().split("T");
  return isDayOrLonger(interval) ? date : `${date} ${time.slice(0, 5)}`;
}

/**
 * The same with what it is ahead of UTC.
 * @param {number} ms
 * @param {Pick<Buckets, "interval" | "zone">} buckets
 */
export function formatZonedOpenTime(ms, buckets) {
  return `${formatOpenTime(ms, buckets)} ${buckets.zone.offsetName(ms)}`;
}
