// Time zones: what their clocks show, and how far they are ahead of UTC.

const MINUTE_MS = 60_000;
const UTC = "UTC";
const FIXED = /^([+-])(\d\d):(\d\d)$/;
const GMT = /GMT([+-])(\d\d):(\d\d)/;

/** @typedef {(ms: number) => number} OffsetAt what a zone is ahead of UTC at a time, in ms */

/** By whose clocks times are read. */
export class Zone {
  #offsetAt;

  /**
   * @param {string} name
   * @param {OffsetAt} offsetAt
   */
  constructor(name, offsetAt) {
    this.name = name;
    this.#offsetAt = offsetAt;
  }

  /**
   * What its clocks show at a time, as a date whose fields are read as if of UTC.
   * @param {number} ms
   */
  clock(ms) {
    return new Date(ms + this.#offsetAt(ms));
  }

  /**
   * The zone that is always as far ahead of UTC as this one is at a time.
   * @param {number} ms
   */
  fixedAt(ms) {
    const offsetMs = this.#offsetAt(ms);
    return new Zone(this.offset(ms), () => offsetMs);
  }

  /**
   * How far it is ahead of UTC at a time: "+09:00".
   * @param {number} ms
   */
  offset(ms) {
    const minutes = Math.round(this.#offsetAt(ms) / MINUTE_MS);
    const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
    const digits = [hours, rest].map((number) => String(number).padStart(2, "0"));
    return `${minutes < 0 ? "-" : "+"}${digits.join(":")}`;
  }

  /**
   * The same to read: "UTC+9", "UTC−3:30".
   * @param {number} ms
   */
  offsetName(ms) {
    const [, sign, hours, minutes] = FIXED.exec(this.offset(ms)) ?? [];
    if (!Number(hours) && !Number(minutes)) return UTC;
    const rest = Number(minutes) ? `:${minutes}` : "";
    return `${UTC}${sign === "-" ? "−" : "+"}${Number(hours)}${rest}`;
  }
}

/**
 * The zone of a name: "UTC", "+09:00", "Asia/Seoul", or "" for the reader's own.
 * @param {string} name
 */
export function zoneOf(name) {
  if (name === "") return new Zone(name, (ms) => -new Date(ms).getTimezoneOffset() * MINUTE_MS);
  if (name === UTC) return new Zone(name, () => 0);
  const fixed = parseOffset(FIXED, name);
  if (fixed !== null) return new Zone(name, () => fixed);
  const { format } = new Intl.DateTimeFormat("en", { timeZone: name, timeZoneName: "longOffset" });
  return new Zone(name, (ms) => parseOffset(GMT, format(ms)) ?? 0); // of none it says "GMT"
}

/**
 * @param {RegExp} form
 * @param {string} text
 */
function parseOffset(form, text) {
  const found = form.exec(text);
  if (!found) return null;
  const minutes = Number(found[2]) * 60 + Number(found[3]);
  return (found[1] === "-" ? -minutes : minutes) * MINUTE_MS;
}
