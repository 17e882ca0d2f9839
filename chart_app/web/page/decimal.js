// Decimal strings as text for the eye; the exact digits are never rounded away.

const compactFormat = new Intl.NumberFormat("en", {
  notation: "compact",
  maximumSignificantDigits: 4,
});

/** The digits behind the point that count: "0.0100" has 2. */
export function places(text) {
  const point = text.indexOf(".");
  return point < 0 ? 0 : text.slice(point + 1).replace(/0+$/, "").length;
}

/** "91234.5" with 2 digits is "91,234.50"; more digits stay if the number has them. */
export function format(text, digits) {
  const [whole, fraction = ""] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const shown = fraction.replace(/0+$/, "").padEnd(digits, "0");
  return shown ? `${grouped}.${shown}` : grouped;
}

/** A number of the price axis, which is no exact one anyway. */
export function formatNumber(number, digits) {
  return format(number.toFixed(digits), digits);
}

/** "12345678.9" is "12.35M": for sums where the size counts. */
export function compact(text) {
  const number = Number(text);
  const isUsual = number === 0 || (number >= 1e-4 && number < 1e15);
  return isUsual ? compactFormat.format(number) : number.toExponential(2);
}

/** The way from one price to another in percent: number, direction, and text with sign and arrow. */
export function change(from, to) {
  const percent = (Number(to) / Number(from) - 1) * 100;
  const size = Math.abs(percent).toFixed(2);
  if (Number(size) === 0) return { percent: 0, direction: "flat", text: "0.00 %" };
  return percent > 0
    ? { percent, direction: "up", text: `▲ +${size} %` }
    : { percent, direction: "down", text: `▼ −${size} %` };
}
