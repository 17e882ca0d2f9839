// Decimals, which are strings, as text to read; their digits are never rounded away.

/** @typedef {"up" | "down" | "flat"} Direction */

const compactFormat = new Intl.NumberFormat("en", {
  notation: "compact",
  maximumSignificantDigits: 4,
});

/**
 * How many digits follow the decimal point, without trailing zeros: "0.0100" has 2.
 * @param {string} decimal
 */
export function scaleOf(decimal) {
  const point = decimal.indexOf(".");
  return point < 0 ? 0 : decimal.slice(point + 1).replace(/0+$/, "").length;
}

/**
 * "91234.5" in scale 2 is "91,234.50"; a decimal of a larger scale keeps its digits.
 * @param {string} decimal
 * @param {number} scale
 */
export function format(decimal, scale) {
  const [whole = "", fraction = ""] = decimal.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const shown = fraction.replace(/0+$/, "").padEnd(scale, "0");
  return shown ? `${grouped}.${shown}` : grouped;
}

/**
 * A number of the price axis, which is not exact anyway.
 * @param {number} number
 * @param {number} scale
 */
export function formatNumber(number, scale) {
  return format(number.toFixed(scale), scale);
}

/**
 * "12345678.9" is "12.35M": for sums, of which only the size is of interest.
 * @param {string} decimal
 */
export function formatCompact(decimal) {
  const number = Number(decimal);
  const isUsual = number === 0 || (number >= 1e-4 && number < 1e15);
  return isUsual ? compactFormat.format(number) : number.toExponential(2);
}

/**
 * The change from one price to another: in percent, its direction, and as text with sign and arrow.
 * @param {string} from
 * @param {string} to
 * @returns {{ percent: number, direction: Direction, text: string }}
 */
export function priceChange(from, to) {
  const percent = (Number(to) / Number(from) - 1) * 100;
  const size = Math.abs(percent).toFixed(2);
  if (Number(size) === 0) return { percent: 0, direction: "flat", text: "0.00 %" };
  return percent > 0
    ? { percent, direction: "up", text: `▲ +${size} %` }
    : { percent, direction: "down", text: `▼ −${size} %` };
}
