// Intervals as the reader's language writes them.

/** @import { Say, TextName } from "./texts.js" */

/** @type {Readonly<Record<string, TextName>>} */
const UNITS = { m: "minutes", h: "hours", d: "days", w: "weeks", M: "months" };

/**
 * @param {string} interval such as "15m"
 * @param {Say} say
 */
export function formatInterval(interval, say) {
  const unit = UNITS[interval.slice(-1)];
  return unit ? say(unit, { count: interval.slice(0, -1) }) : interval;
}
