// What the page is to show, as it stands in the address: a link shows the same chart.
import { formatStudies, parseStudies } from "../chart/indicators/studies.js";
import { DEFAULT_INTERVAL, INTERVALS } from "./intervals.js";
import {
  DEFAULT_PRICE_SCALE,
  DEFAULT_PRICE_STYLE,
  PRICE_SCALES,
  PRICE_STYLES,
} from "./price_styles.js";

import { OWN_ZONE, ZONES } from "./zones.js";

/** @import { PriceScale, PriceStyle } from "./price_styles.js" */

/**
 * Without a coin, the page chooses one.
 * @typedef {object} Selection
 * @property {string | null} coin
 * @property {string} interval
 * @property {PriceStyle} style
 * @property {PriceScale} scale of prices
 * @property {string} zone one of ZONES
 * @property {string} studies the indicators, as formatStudies() writes them
 */

/**
 * How one part of the selection is read.
 * @template T
 * @typedef {object} Field
 * @property {T} missing what it is where the address does not name it
 * @property {(text: string) => T | undefined} parse gives undefined for what is none
 * @property {(value: T) => string} format
 */

/** @type {{ [Name in keyof Selection]: Field<Selection[Name]> }} */
const FIELDS = {
  coin: {
    missing: null,
    parse: (text) => text,
    format: (coin) => coin ?? "",
  },
  interval: oneOf(INTERVALS, DEFAULT_INTERVAL),
  style: oneOf(PRICE_STYLES, DEFAULT_PRICE_STYLE),
  scale: oneOf(PRICE_SCALES, DEFAULT_PRICE_SCALE),
  zone: oneOf(ZONES, OWN_ZONE),
  studies: {
    missing: "",
    parse: (text) => formatStudies(parseStudies(text)),
    format: (studies) => studies,
  },
};
const NAMES = /** @type {(keyof Selection)[]} */ (Object.keys(FIELDS));

/**
 * @param {string} query as in `location.search`
 * @returns {Selection}
 */
export function parseAddress(query) {
  const parameters = new URLSearchParams(query);
  const values = NAMES.map((name) => {
    const { parse, missing } = /** @type {Field<unknown>} */ (FIELDS[name]);
    const text = parameters.get(name);
    return [name, (text === null ? undefined : parse(text)) ?? missing];
  });
  return /** @type {Selection} */ (Object.fromEntries(values));
}

/**
 * The query of the address; it names nothing that is as it is where it is not named.
 * @param {Selection} selection
 */
export function formatAddress(selection) {
  const parameters = new URLSearchParams();
  for (const name of NAMES) {
    const { format, missing } = /** @type {Field<unknown>} */ (FIELDS[name]);
    if (selection[name] !== missing) parameters.set(name, format(selection[name]));
  }
  return `?${String(parameters).replaceAll("%2C", ",")}`; // a query may have commas
}

/**
 * @template {string} T
 * @param {readonly T[]} values
 * @param {T} missing
 * @returns {Field<T>}
 */
function oneOf(values, missing) {
  return {
    missing,
    parse: (text) => values.find((value) => value === text),
    format: (value) => value,
  };
}
