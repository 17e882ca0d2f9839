// The drawings of each coin, as they are kept on this browser.
import { ANCHORS } from "./drawing.js";

/** @import { Kept } from "../../settings/kept.js" */
/** @import { Anchor, Drawing, Kind } from "./drawing.js" */

/** Of one coin: more would not be a chart any more. */
export const MAX_DRAWINGS = 100;
const LATEST_TIME = 8.64e15; // the last ms that a Date can be

/** @param {string} coin */
export const keyOf = (coin) => `drawings ${coin}`;

/**
 * @param {Kept} kept
 * @param {string} coin
 */
export const readDrawings = (kept, coin) => parseDrawings(kept.read(keyOf(coin)));

/**
 * @param {Kept} kept
 * @param {string} coin
 * @param {readonly Drawing[]} drawings
 */
export const writeDrawings = (kept, coin, drawings) => kept.write(keyOf(coin), drawings);

/**
 * What of a value is drawings.
 * @param {unknown} value
 * @returns {Drawing[]}
 */
export function parseDrawings(value) {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_DRAWINGS).flatMap((each) => parseDrawing(each) ?? []);
}

/**
 * @param {unknown} value
 * @returns {Drawing | null}
 */
function parseDrawing(value) {
  const { kind, anchors } = Object(value);
  if (!isKind(kind) || !Array.isArray(anchors) || anchors.length !== ANCHORS[kind]) return null;
  return anchors.every(isAnchor)
    ? { kind, anchors: anchors.map(({ time, price }) => ({ time, price })) }
    : null;
}

/**
 * @param {unknown} value
 * @returns {value is Kind}
 */
const isKind = (value) => typeof value === "string" && Object.hasOwn(ANCHORS, value);

/**
 * @param {unknown} value
 * @returns {value is Anchor}
 */
function isAnchor(value) {
  const { time, price } = Object(value);
  return Number.isInteger(time) && Math.abs(time) <= LATEST_TIME && Number.isFinite(price);
}
