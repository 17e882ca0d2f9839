// By what candles are made, and their times are read.
import { isDayOrLonger } from "./intervals.js";

/** @import { Zone } from "../text/zone.js" */

/**
 * `timeZone` is by whose clocks they begin, as the API has it: "+09:00". `zone` is by whose clocks
 * their times are read.
 * @typedef {{ interval: string, timeZone: string, zone: Zone }} Buckets
 */

/**
 * The buckets of a zone. They begin by what it is ahead of UTC now, in summer and winter alike,
 * since the API knows no daylight saving; so days are read by that, too, or in the other half of
 * the year they would have the date of the day before.
 * @param {string} interval
 * @param {Zone} zone
 * @param {number} nowMs
 * @returns {Buckets}
 */
export function bucketsOf(interval, zone, nowMs) {
  const timeZone = zone.offset(nowMs);
  return { interval, timeZone, zone: isDayOrLonger(interval) ? zone.fixedAt(nowMs) : zone };
}
