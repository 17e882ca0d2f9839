// Lines, rectangles and handles on a canvas, in px.
import { clipLine } from "./geometry.js";

/** @import { Point, Size } from "./geometry.js" */

const LINE_WIDTH_PX = 2;
const HANDLE_RADIUS_PX = 5;
const BEYOND_PX = 10; // out of view

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point} from
 * @param {Point} to
 * @param {Size} size of the canvas
 */
export function strokeLine(context, from, to, size) {
  const visible = clipLine(from, to, size);
  if (!visible) return;
  const [begin, end] = visible;
  context.lineWidth = LINE_WIDTH_PX;
  context.beginPath();
  context.moveTo(begin.x, begin.y);
  context.lineTo(end.x, end.y);
  context.stroke();
}

/**
 * From one side of the canvas to the other.
 * @param {CanvasRenderingContext2D} context
 * @param {number} y
 * @param {Size} size
 */
export function strokeAcross(context, y, size) {
  const whole = Math.round(y);
  strokeLine(context, { x: 0, y: whole }, { x: size.width, y: whole }, size);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point} one corner
 * @param {Point} opposite
 * @param {Size} size of the canvas
 */
export function fillRectangle(context, one, opposite, { width, height }) {
  const [left, right] = [one.x, opposite.x].map((x) => within(x, width));
  const [top, bottom] = [one.y, opposite.y].map((y) => within(y, height));
  if (left === undefined || right === undefined || top === undefined || bottom === undefined)
    return;
  context.fillRect(left, top, right - left, bottom - top);
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Point} center
 */
export function drawHandle(context, { x, y }) {
  context.lineWidth = LINE_WIDTH_PX;
  context.beginPath();
  context.arc(x, y, HANDLE_RADIUS_PX, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
}

/**
 * @param {number} value
 * @param {number} length
 */
const within = (value, length) => Math.min(length + BEYOND_PX, Math.max(-BEYOND_PX, value));
