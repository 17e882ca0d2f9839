// Points, lines and what of a drawing is under the pointer, in px.
import { HANDLES, WHOLE } from "./drawing.js";

/** @import { Kind } from "./drawing.js" */

/** @typedef {{ x: number, y: number }} Point */
/** @typedef {{ width: number, height: number }} Size */

/** @param {Point} point */
export const isFinitePoint = ({ x, y }) => Number.isFinite(x) && Number.isFinite(y);

/**
 * @param {Point} one
 * @param {Point} other
 */
export const distance = (one, other) => Math.hypot(one.x - other.x, one.y - other.y);

/**
 * From a point to the nearest of a line from one point to another.
 * @param {Point} point
 * @param {Point} from
 * @param {Point} to
 */
export function distanceToLine(point, from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const squared = dx * dx + dy * dy;
  const along = squared && ((point.x - from.x) * dx + (point.y - from.y) * dy) / squared;
  const share = Math.min(1, Math.max(0, along));
  return distance(point, { x: from.x + share * dx, y: from.y + share * dy });
}

/**
 * The part of a line that is within a size, by Liang and Barsky; null where none is.
 * @param {Point} from
 * @param {Point} to
 * @param {Size} size
 * @returns {[Point, Point] | null}
 */
export function clipLine(from, to, { width, height }) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  if (!isFinitePoint({ x: dx, y: dy })) return null;
  let [enter, leave] = [0, 1];
  /** @type {[number, number][]} */
  const edges = [
    [-dx, from.x],
    [dx, width - from.x],
    [-dy, from.y],
    [dy, height - from.y],
  ];
  for (const [slope, room] of edges) {
    if (slope === 0 && room < 0) return null;
    if (slope < 0) enter = Math.max(enter, room / slope);
    if (slope > 0) leave = Math.min(leave, room / slope);
  }
  if (enter > leave) return null;
  return [
    { x: from.x + enter * dx, y: from.y + enter * dy },
    { x: from.x + leave * dx, y: from.y + leave * dy },
  ];
}

/**
 * The corners of a rectangle, in turn.
 * @param {Point} one
 * @param {Point} opposite
 * @returns {[Point, Point, Point, Point]}
 */
export const corners = (one, opposite) => [
  one,
  { x: opposite.x, y: one.y },
  opposite,
  { x: one.x, y: opposite.y },
];

/**
 * Where the handles of a drawing are.
 * @param {Kind} kind
 * @param {readonly Point[]} points of its anchors
 * @returns {Point[]}
 */
export const handlePoints = (kind, points) =>
  HANDLES[kind].map(({ time, price }) => ({
    x: points[time]?.x ?? Number.NaN,
    y: points[price]?.y ?? Number.NaN,
  }));

/**
 * The handle under the pointer, else WHOLE where the drawing itself is; null where it is not.
 * A rectangle is its border: within it, the chart can still be moved.
 * @param {Kind} kind
 * @param {readonly Point[]} points of its anchors
 * @param {Point} pointer
 * @param {number} tolerance in px
 */
export function partAt(kind, points, pointer, tolerance) {
  const handle = handlePoints(kind, points).findIndex(
    (point) => distance(point, pointer) <= tolerance,
  );
  if (handle >= 0) return handle;
  const isNear = distanceTo(kind, points, pointer) <= tolerance;
  return isNear ? WHOLE : null;
}

/**
 * @param {Kind} kind
 * @param {readonly Point[]} points
 * @param {Point} pointer
 */
function distanceTo(kind, [one, other], pointer) {
  if (!one) return Infinity;
  if (kind === "horizontal") return Math.abs(one.y - pointer.y);
  if (!other) return Infinity;
  if (kind === "trend") return distanceToLine(pointer, one, other);
  const around = corners(one, other);
  const sides = around.map((corner, index) =>
    distanceToLine(pointer, corner, around[(index + 1) % 4] ?? corner),
  );
  return Math.min(...sides);
}
