// Times as text, in UTC, by which the candles are cut.

const twoDigits = (number) => String(number).padStart(2, "0");

export function date(ms) {
  const at = new Date(ms);
  return `${at.getUTCFullYear()}-${twoDigits(at.getUTCMonth() + 1)}-${twoDigits(at.getUTCDate())}`;
}

export function minute(ms) {
  const at = new Date(ms);
  return `${twoDigits(at.getUTCHours())}:${twoDigits(at.getUTCMinutes())}`;
}

export function second(ms) {
  return `${minute(ms)}:${twoDigits(new Date(ms).getUTCSeconds())}`;
}

/** A candle's open time: without the hour where a candle lasts a day or more. */
export function opening(ms, interval) {
  return /[dwM]$/.test(interval) ? date(ms) : `${date(ms)} ${minute(ms)}`;
}
