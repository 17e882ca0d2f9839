// What a reader draws on the chart: anchors in time and price.

/**
 * A point of the chart.
 * @typedef {{ time: number, price: number }} Anchor time in ms
 */

/** @typedef {"trend" | "horizontal" | "rectangle"} Kind */

/** @typedef {{ kind: Kind, anchors: readonly Anchor[] }} Drawing */

/**
 * What one takes a drawing by: the anchor whose time it moves, and the one whose price.
 * @typedef {{ time: number, price: number }} Handle
 */

/** A part of a drawing that is not one of its handles. */
export const WHOLE = -1;

/** @type {Readonly<Record<Kind, number>>} */
export const ANCHORS = { trend: 2, horizontal: 1, rectangle: 2 };

const ENDS = [
  { time: 0, price: 0 },
  { time: 1, price: 1 },
];

/** @type {Readonly<Record<Kind, readonly Handle[]>>} */
export const HANDLES = {
  trend: ENDS,
  horizontal: [],
  rectangle: [...ENDS, { time: 0, price: 1 }, { time: 1, price: 0 }],
};

/**
 * A drawing of no size yet.
 * @param {Kind} kind
 * @param {Anchor} anchor
 * @returns {Drawing}
 */
export const drawingAt = (kind, anchor) => ({ kind, anchors: Array(ANCHORS[kind]).fill(anchor) });

/**
 * @param {Drawing} drawing
 * @param {Handle} handle
 * @param {Anchor} to
 * @returns {Drawing}
 */
export function withHandleAt({ kind, anchors }, handle, to) {
  const moved = anchors.map((anchor, index) => ({
    time: index === handle.time ? to.time : anchor.time,
    price: index === handle.price ? to.price : anchor.price,
  }));
  return { kind, anchors: moved };
}
