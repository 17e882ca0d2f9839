// The kinds of indicators: what of them can be set, how they are computed, how they are drawn.
import { BollingerBands } from "./bollinger_bands.js";
import { Macd } from "./macd.js";
import { ExponentialAverage, SimpleAverage } from "./moving_averages.js";
import { Rsi } from "./rsi.js";
import { Vwap } from "./vwap.js";

/** @import { Formula } from "./columns.js" */

/**
 * A number that can be set; its name is also that of its text.
 * @typedef {object} Parameter
 * @property {"length" | "fastLength" | "slowLength" | "signalLength" | "deviations"} name
 * @property {number} min
 * @property {number} max
 * @property {number} step
 */

/**
 * How a column is drawn.
 * @typedef {object} Plot
 * @property {string} column
 * @property {number | null} color which of the kind's own, or null: up or down, by the sign
 */

/**
 * @typedef {object} Kind
 * @property {string} short name for the legend
 * @property {"simpleAverage" | "exponentialAverage" | "bollingerBands" | "vwap" | "rsi" | "macd"} text
 *   the name of its name in full
 * @property {boolean} isOverlay whether it is drawn over the candles, not in the kind's own pane
 * @property {{ range: readonly [number, number], marks: readonly number[] } | null} percent for
 *   what is in percent: what the axis reaches, and where lines are
 * @property {readonly Parameter[]} parameters
 * @property {readonly (readonly number[])[]} defaults values of the parameters, for the first
 *   that is added, the second …
 * @property {readonly Plot[]} plots
 * @property {(...values: number[]) => Formula} make
 */

const MAX_LENGTH = 500; // each candle costs as many steps, and the page has few more candles

/**
 * @param {Parameter["name"]} name
 * @returns {Parameter}
 */
const length = (name) => ({ name, min: 1, max: MAX_LENGTH, step: 1 });

/** @satisfies {Readonly<Record<string, Kind>>} */
const ALL = {
  sma: {
    short: "SMA",
    text: "simpleAverage",
    isOverlay: true,
    percent: null,
    parameters: [length("length")],
    defaults: [[20], [50], [100], [200]],
    plots: [{ column: "average", color: 0 }],
    make: (length) => new SimpleAverage(length),
  },
  ema: {
    short: "EMA",
    text: "exponentialAverage",
    isOverlay: true,
    percent: null,
    parameters: [length("length")],
    defaults: [[20], [50], [100], [200]],
    plots: [{ column: "average", color: 0 }],
    make: (length) => new ExponentialAverage(length),
  },
  bb: {
    short: "BB",
    text: "bollingerBands",
    isOverlay: true,
    percent: null,
    parameters: [length("length"), { name: "deviations", min: 0.1, max: 10, step: 0.1 }],
    defaults: [
      [20, 2],
      [20, 1],
    ],
    plots: [
      { column: "middle", color: 0 },
      { column: "upper", color: 0 },
      { column: "lower", color: 0 },
    ],
    make: (length, width) => new BollingerBands(length, width),
  },
  vwap: {
    short: "VWAP",
    text: "vwap",
    isOverlay: true,
    percent: null,
    parameters: [],
    defaults: [[]],
    plots: [{ column: "average", color: 0 }],
    make: () => new Vwap(),
  },
  rsi: {
    short: "RSI",
    text: "rsi",
    isOverlay: false,
    percent: { range: [0, 100], marks: [70, 30] },
    parameters: [length("length")],
    defaults: [[14], [7], [21]],
    plots: [{ column: "strength", color: 0 }],
    make: (length) => new Rsi(length),
  },
  macd: {
    short: "MACD",
    text: "macd",
    isOverlay: false,
    percent: null,
    parameters: [length("fastLength"), length("slowLength"), length("signalLength")],
    defaults: [[12, 26, 9]],
    plots: [
      { column: "histogram", color: null },
      { column: "macd", color: 0 },
      { column: "signal", color: 1 },
    ],
    make: (fast, slow, signal) => new Macd(fast, slow, signal),
  },
};

/** @typedef {keyof typeof ALL} KindName */

/** @type {Readonly<Record<KindName, Kind>>} */
export const KINDS = ALL;
export const KIND_NAMES = /** @type {KindName[]} */ (Object.keys(KINDS));
