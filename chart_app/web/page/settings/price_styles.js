// How prices are drawn, and on which scale.

/** @typedef {"candles" | "line" | "area"} PriceStyle */
/** @typedef {"linear" | "log" | "percent"} PriceScale */

/** @type {readonly PriceStyle[]} */
export const PRICE_STYLES = ["candles", "line", "area"];
export const DEFAULT_PRICE_STYLE = "candles";

/** @type {readonly PriceScale[]} */
export const PRICE_SCALES = ["linear", "log", "percent"];
export const DEFAULT_PRICE_SCALE = "linear";
