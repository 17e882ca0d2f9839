// The time zones that can be chosen.

/** The reader's own. */
export const OWN_ZONE = "";

/** Where exchanges are; each is the name of a text, too. From west to east. */
export const CITY_ZONES = /** @type {const} */ ([
  "America/Los_Angeles",
  "America/Chicago",
  "America/New_York",
  "America/Sao_Paulo",
  "Europe/London",
  "Europe/Berlin",
  "Asia/Dubai",
  "Asia/Kolkata",
  "Asia/Singapore",
  "Asia/Hong_Kong",
  "Asia/Tokyo",
  "Asia/Seoul",
  "Australia/Sydney",
]);

const LEAST_HOURS = -12;
const MOST_HOURS = 14;
const BETWEEN = ["-09:30", "-03:30", "+03:30", "+04:30", "+05:30", "+05:45", "+06:30", "+09:30"];

/** Ahead of UTC, without daylight saving; the API has no others. */
export const FIXED_ZONES = [...wholeHours(), ...BETWEEN].sort(
  (one, other) => hoursOf(one) - hoursOf(other),
);

/** @type {readonly string[]} */
export const ZONES = [OWN_ZONE, "UTC", ...CITY_ZONES, ...FIXED_ZONES];

function wholeHours() {
  const hours = Array.from({ length: MOST_HOURS - LEAST_HOURS + 1 }, (_, at) => at + LEAST_HOURS);
  return hours
    .filter((hour) => hour !== 0)
    .map((hour) => `${hour < 0 ? "-" : "+"}${String(Math.abs(hour)).padStart(2, "0")}:00`);
}

/** @param {string} offset */
function hoursOf(offset) {
  const [hours = "", minutes = ""] = offset.slice(1).split(":");
  return (Number(hours) + Number(minutes) / 60) * (offset.startsWith("-") ? -1 : 1);
}
