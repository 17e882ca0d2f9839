// Times in ms as text, in UTC, as the intervals of candles are.
import { isDayOrLonger } from "../settings/intervals.js";

/** @param {number} number */
const twoDigits = (number) => String(number).padStart(2, "0");

/** @param {number} ms */
function formatDate(ms) {
  const at = new Date(ms);
  return `${at.getUTCFullYear()}-${twoDigits(at.getUTCMonth() + 1)}-${twoDigits(at.getUTCDate())}`;
}

/** @param {number} ms */
function formatMinute(ms) {
  const at = new Date(ms);
  return `${twoDigits(at.getUTCHours())}:${twoDigits(at.getUTCMinutes())}`;
}

/**
 * The time of day, with seconds.
 * @param {number} ms
 */
export function formatSecond(ms) {
  return `${formatMinute(ms)}:${twoDigits(new Date(ms).getUTCSeconds())}`;
}

/**
 * A candle's open time: a date, with the time of day where a candle is shorter than a day.
 * @param {number} ms
 * @param {string} interval
 */
export function formatOpenTime(ms, interval) {
  return isDayOrLonger(interval) ? formatDate(ms) : `${formatDate(ms)} ${formatMinute(ms)}`;
}
