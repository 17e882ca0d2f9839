// Numbers as the reader's place writes them.
import { formatDecimal, priceChange, symbolsOf } from "./decimal_format.js";

/** @import { Direction } from "./decimal_format.js" */

const DEFAULT_LOCALE = "en";
const PLAIN_FROM = 1e-4;
const COMPACT_FROM = 1e4; // below, a unit saves nothing, and Koreans do not use theirs
const COMPACT_TO = 1e15;
const FIXED_TO = 1e21; // from here on, toFixed() gives an exponent
/** @type {Readonly<Record<Direction, string>>} */
const ARROWS = { up: "▲ ", down: "▼ ", flat: "" };

/**
 * The first locale that Intl knows; a browser may name one that it does not, such as "en-US@posix".
 * @param {readonly string[]} wanted
 */
export function chooseLocale(wanted) {
  return wanted.find(isKnown) ?? DEFAULT_LOCALE;
}

/** @param {string} locale */
function isKnown(locale) {
  try {
    return Intl.NumberFormat.supportedLocalesOf(locale).length > 0;
  } catch {
    return false; // it has not even the form of one
  }
}

export class Formats {
  locale;
  #symbols;
  #plain;
  #compact;
  #scientific;
  #percent;

  /** @param {string} locale one of chooseLocale */
  constructor(locale) {
    this.locale = locale;
    this.#symbols = symbolsOf(locale);
    this.#plain = new Intl.NumberFormat(locale, { maximumSignificantDigits: 4 });
    this.#compact = new Intl.NumberFormat(locale, {
      notation: "compact",
      maximumSignificantDigits: 4,
    });
    this.#scientific = new Intl.NumberFormat(locale, {
      notation: "scientific",
      maximumFractionDigits: 2,
    });
    this.#percent = new Intl.NumberFormat(locale, {
      style: "percent",
      minimumFractionDigits: 2,
      maximumFractionDigits: 2,
      signDisplay: "exceptZero",
    });
  }

  /**
   * A decimal with all its digits: "91234.5" in scale 2 is "91,234.50".
   * @param {string} decimal
   * @param {number} scale how many digits follow the decimal point at least
   */
  decimal(decimal, scale) {
    return formatDecimal(decimal, scale, this.#symbols);
  }

  /**
   * A number that is not exact anyway, such as one of the price axis.
   * @param {number} number
   * @param {number} scale
   */
  number(number, scale) {
    if (Math.abs(number) < FIXED_TO) return this.decimal(number.toFixed(scale), scale);
    return this.#scientific.format(number);
  }

  /**
   * A sum of which only the size is of interest: "12345678.9" is "12.35M".
   * @param {string} decimal
   */
  compact(decimal) {
    const number = Number(decimal);
    const size = Math.abs(number);
    const isExtreme = size !== 0 && (size < PLAIN_FROM || size >= COMPACT_TO);
    if (isExtreme) return this.#scientific.format(number);
    return (size < COMPACT_FROM ? this.#plain : this.#compact).format(number);
  }

  /**
   * With its sign: 1.5 is "+1.50%".
   * @param {number} percent
   */
  percent(percent) {
    return this.#percent.format(percent / 100);
  }

  /**
   * The change from one price to another: its direction, and as text with an arrow.
   * @param {string} from
   * @param {string} to
   */
  change(from, to) {
    const { percent, direction } = priceChange(from, to);
    return { direction, text: `${ARROWS[direction]}${this.percent(percent)}` };
  }
}
