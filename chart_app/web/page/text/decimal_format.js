// Decimals, which are strings, as text to read; their digits are never rounded away.

/** @typedef {"up" | "down" | "flat"} Direction */

/**
 * How a place writes numbers.
 * @typedef {object} NumberSymbols
 * @property {readonly string[]} digits from 0 to 9
 * @property {string} minus
 * @property {string} point
 * @property {string} separator of groups
 * @property {number} lastGroup how many digits it has
 * @property {number} otherGroups how many digits each has
 * @property {number} groupedFrom with how many digits a number is grouped
 */

const SAMPLE = -1_234_567_890.5;

/** @param {string} locale one that Intl knows */
export function symbolsOf(locale) {
  const parts = new Intl.NumberFormat(locale, { minimumFractionDigits: 1 }).formatToParts(SAMPLE);
  const first = parts.findIndex(({ type }) => type === "integer");
  /** @param {string} type */
  const find = (type) => parts.find((part) => part.type === type)?.value ?? "";
  const groups = parts.filter(({ type }) => type === "integer").map(({ value }) => value);
  const lastGroup = [...(groups.at(-1) ?? "")].length;
  return {
    digits: digitsOf(locale),
    // with the marks that keep it in its place where one writes from right to left
    minus: parts
      .slice(0, first)
      .map(({ value }) => value)
      .join(""),
    point: find("decimal"),
    separator: find("group"),
    lastGroup,
    otherGroups: [...(groups.at(-2) ?? "")].length || lastGroup,
    groupedFrom: groupedFrom(locale),
  };
}

/** @param {string} locale */
function digitsOf(locale) {
  const { format } = new Intl.NumberFormat(locale, { useGrouping: false });
  return Array.from({ length: 10 }, (_, digit) => format(digit));
}

/** @param {string} locale */
function groupedFrom(locale) {
  const numberFormat = new Intl.NumberFormat(locale);
  const isGrouped = [1000, 10_000].map((number) =>
    numberFormat.formatToParts(number).some(({ type }) => type === "group"),
  );
  const index = isGrouped.indexOf(true);
  return index < 0 ? Infinity : 4 + index;
}

/**
 * How many digits follow the decimal point: "0.0100" has 4.
 * @param {string} decimal
 */
export function scaleOf(decimal) {
  const point = decimal.indexOf(".");
  return point < 0 ? 0 : decimal.length - point - 1;
}

/**
 * "91234.5" in scale 2 is "91,234.50"; a decimal of a larger scale keeps its digits.
 * @param {string} decimal
 * @param {number} scale
 * @param {NumberSymbols} symbols
 */
export function formatDecimal(decimal, scale, symbols) {
  const isNegative = decimal.startsWith("-");
  const [whole = "", fraction = ""] = (isNegative ? decimal.slice(1) : decimal).split(".");
  const shown = fraction.replace(/0+$/, "").padEnd(scale, "0");
  const { minus, point } = symbols;
  const text = localDigits(group(whole, symbols), symbols);
  const sign = isNegative ? minus : "";
  return shown ? `${sign}${text}${point}${localDigits(shown, symbols)}` : `${sign}${text}`;
}

/**
 * @param {string} whole
 * @param {NumberSymbols} symbols
 */
function group(whole, { separator, lastGroup, otherGroups, groupedFrom }) {
  if (whole.length < groupedFrom) return whole;
  const groups = [whole.slice(-lastGroup)];
  for (let end = whole.length - lastGroup; end > 0; end -= otherGroups) {
    groups.unshift(whole.slice(Math.max(0, end - otherGroups), end));
  }
  return groups.join(separator);
}

/**
 * @param {string} text
 * @param {NumberSymbols} symbols
 */
function localDigits(text, { digits }) {
  return digits[0] === "0" ? text : text.replace(/\d/g, (digit) => digits[Number(digit)] ?? digit);
}

/**
 * Above 0 where the one is larger, below 0 where the other is; for decimals that are not negative.
 * @param {string} one
 * @param {string} other
 */
export function compareDecimals(one, other) {
  const places = Math.max(scaleOf(one), scaleOf(other));
  const difference = inPlaces(one, places) - inPlaces(other, places);
  return Number(difference > 0n) - Number(difference < 0n);
}

/**
 * @param {string} decimal
 * @param {number} places as many as it has, or more
 */
function inPlaces(decimal, places) {
  const [whole = "", fraction = ""] = decimal.split(".");
  return BigInt(whole + fraction.slice(0, places).padEnd(places, "0"));
}

/**
 * The change from one price to another, in percent, and its direction once it is rounded.
 * @param {string} from
 * @param {string} to
 * @returns {{ percent: number, direction: Direction }}
 */
export function priceChange(from, to) {
  const percent = (Number(to) / Number(from) - 1) * 100;
  if (Number(percent.toFixed(2)) === 0) return { percent: 0, direction: "flat" };
  return { percent, direction: percent > 0 ? "up" : "down" };
}
