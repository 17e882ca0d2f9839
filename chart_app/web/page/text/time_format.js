// Times in ms as text, by the clocks of a zone.
import { isDayOrLonger } from "../settings/intervals.js";

/** @import { Buckets } from "../settings/buckets.js" */
/** @import { Say } from "./texts.js" */
/** @import { Zone } from "./zone.js" */

/**
 * The time of day, with seconds, after the date where that is not the one of today.
 * @param {number} ms
 * @param {number} now in ms
 * @param {Zone} zone
 */
export function formatPastSecond(ms, now, zone) {
  const [date, time] = dateAndSecond(ms, zone);
  const [today] = dateAndSecond(now, zone);
  return date === today ? time : `${date} ${time}`;
}

/**
 * Date and time of day, with seconds and what the zone is ahead of UTC.
 * @param {number} ms
 * @param {Zone} zone
 */
export function formatZonedSecond(ms, zone) {
  return `${dateAndSecond(ms, zone).join(" ")} ${zone.offsetName(ms)}`;
}

/**
 * @param {number} ms
 * @param {Zone} zone
 */
export function formatDate(ms, zone) {
  const [date] = dateAndSecond(ms, zone);
  return date;
}

/**
 * @param {number} ms
 * @param {Zone} zone
 * @returns {[date: string, time: string]}
 */
function dateAndSecond(ms, zone) {
  const [date = "", time = ""] = zone.clock(ms).toISOString().split("T");
  return [date, time.slice(0, 8)];
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

/**
 * How long something still takes, to the second, or to the hour where it is days.
 * @param {number} ms
 * @param {Say} say
 */
export function formatRemaining(ms, say) {
  const seconds = Math.ceil(ms / 1000);
  const [days, hours, minutes] = [seconds / 86_400, (seconds / 3600) % 24, (seconds / 60) % 60];
  if (days >= 1) return say("daysAndHours", { days: whole(days), hours: whole(hours) });
  const clock = `${twoDigits(minutes)}:${twoDigits(seconds % 60)}`;
  return hours >= 1 ? `${twoDigits(hours)}:${clock}` : clock;
}

/** @param {number} number */
const whole = (number) => String(Math.trunc(number));

/** @param {number} number */
const twoDigits = (number) => whole(number).padStart(2, "0");
