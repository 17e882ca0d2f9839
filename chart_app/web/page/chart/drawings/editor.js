// Drawing, selecting, moving and deleting: what pointer and keys do to the drawings of a coin.
import { ANCHORS, drawingAt, HANDLES, WHOLE, withHandleAt } from "./drawing.js";
import { distance, handlePoints, partAt } from "./geometry.js";
import { MAX_DRAWINGS } from "./kept_drawings.js";

/** @import { Anchor, Drawing, Kind } from "./drawing.js" */
/** @import { Point } from "./geometry.js" */

/**
 * Where times and prices are on the screen; null where there are no candles.
 * @typedef {object} Plot
 * @property {(anchor: Anchor) => Point | null} toPoint
 * @property {(point: Point) => Anchor | null} toAnchor
 * @property {() => Anchor | null} start where a drawing begins that the keyboard makes
 */

/**
 * @typedef {object} Touch
 * @property {number} tolerance in px, of what counts as on a drawing
 * @property {boolean} mayScroll whether what is not selected yet is only selected, not moved
 */

/** From where a press moves something: it is a drag once it has gone further than DRAG_PX. */
/** @typedef {{ from: Point, drawing: Drawing | null, isFirst: boolean, isDrag: boolean }} Press */

const DRAG_PX = 4;
const UNDO_STEPS = 50;

export class Editor {
  /** @type {readonly Drawing[]} */
  #list = [];
  /** @type {(readonly Drawing[])[]} */
  #undo = [];
  /**
   * What is to be drawn next.
   * @type {Kind | null}
   */
  #tool = null;
  /**
   * What is being drawn, and the anchor that moves.
   * @type {{ drawing: Drawing, end: number } | null}
   */
  #draft = null;
  /** @type {Press | null} */
  #press = null;
  /** The index of the selected drawing, and the part of it that moves. */
  #selected = -1;
  #part = WHOLE;
  #plot;
  #onChange;

  /**
   * @param {Plot} plot
   * @param {(drawings: readonly Drawing[]) => void} onChange gets what is to be kept
   */
  constructor(plot, onChange) {
    this.#plot = plot;
    this.#onChange = onChange;
  }

  get tool() {
    return this.#tool;
  }

  /** Whether another drawing can be added. */
  get isFull() {
    return this.#list.length >= MAX_DRAWINGS;
  }

  get canUndo() {
    return this.#undo.length > 0;
  }

  get isEmpty() {
    return this.#list.length === 0;
  }

  /** Whether something goes where the pointer goes. */
  get isMoving() {
    return this.#draft !== null || this.#press !== null;
  }

  /** The drawing that is drawn or selected, if one is. */
  get active() {
    return this.#draft?.drawing ?? this.#list[this.#selected] ?? null;
  }

  /** The anchor that the keys move; null where they move all. */
  get activeAnchor() {
    const { active } = this;
    if (!active) return null;
    if (this.#draft) return active.anchors[this.#draft.end] ?? null;
    const handle = HANDLES[active.kind][this.#part];
    const [time, price] = handle
      ? [active.anchors[handle.time]?.time, active.anchors[handle.price]?.price]
      : [active.anchors[0]?.time, active.anchors[0]?.price];
    return time === undefined || price === undefined ? null : { time, price };
  }

  /** All that is to be seen, the draft last. */
  get drawings() {
    return this.#draft ? [...this.#list, this.#draft.drawing] : this.#list;
  }

  /**
   * Begin with other drawings.
   * @param {readonly Drawing[]} list
   */
  load(list) {
    this.#list = list;
    this.#undo = [];
    this.cancel();
  }

  /** @param {Kind} tool */
  choose(tool) {
    this.cancel();
    if (!this.isFull) this.#tool = tool;
  }

  /** Draw nothing, select nothing, and leave what is moved where it was. */
  cancel() {
    if (this.#press?.drawing) this.#replace(this.#press.drawing);
    this.#press = null;
    this.#draft = null;
    this.#tool = null;
    this.#selected = -1;
    this.#part = WHOLE;
  }

  /**
   * Return whether the press is for the drawings, not for the chart.
   * @param {Point} point
   * @param {Touch} touch
   */
  press(point, { tolerance, mayScroll }) {
    if (this.#tool) {
      const isFirst = !this.#draft?.end;
      this.#press = { from: point, drawing: null, isFirst, isDrag: false };
      const anchor = this.#plot.toAnchor(point);
      if (!anchor) return false;
      if (isFirst) this.#begin(this.#tool, anchor);
      else this.#moveDraftTo(anchor);
      return true;
    }
    const hit = this.#hit(point, tolerance);
    const isSelected = hit?.index === this.#selected;
    this.#selected = hit?.index ?? -1;
    this.#part = hit?.part ?? WHOLE;
    if (!hit || (mayScroll && !isSelected)) return false;
    this.#press = { from: point, drawing: hit.drawing, isFirst: false, isDrag: false };
    return true;
  }

  /** @param {Point} point */
  move(point) {
    const press = this.#press;
    if (press && distance(press.from, point) > DRAG_PX) press.isDrag = true;
    if (this.#draft) {
      const anchor = this.#plot.toAnchor(point);
      if (anchor) this.#moveDraftTo(anchor);
    } else if (press?.drawing && press.isDrag) {
      const by = { x: point.x - press.from.x, y: point.y - press.from.y };
      this.#replace(this.#moved(press.drawing, by));
    }
  }

  /** @param {Point} point */
  release(point) {
    this.move(point);
    const press = this.#press;
    this.#press = null;
    if (!press) return;
    if (this.#draft) {
      const isPlaced = this.#draft.end === 0 || !press.isFirst || press.isDrag;
      if (isPlaced) this.#finish();
    } else if (press.drawing && press.isDrag) {
      const moved = this.#list[this.#selected];
      this.#replace(press.drawing);
      if (moved) this.#change(this.#list.with(this.#selected, moved));
    }
  }

  /**
   * Move the end that is drawn, or what is selected.
   * @param {Point} by
   */
  nudge(by) {
    if (this.#tool) {
      if (!this.#draft) this.#beginByKeys(this.#tool);
      else this.#nudgeDraft(this.#draft, by);
      return;
    }
    const selected = this.#list[this.#selected];
    const moved = selected && this.#moved(selected, by);
    if (moved && moved !== selected) this.#change(this.#list.with(this.#selected, moved));
  }

  /** Fix the end that is drawn; of what is selected, move the next part from now on. */
  enter() {
    if (this.#tool && !this.#draft) {
      this.#beginByKeys(this.#tool);
    } else if (this.#draft) {
      const { drawing, end } = this.#draft;
      if (end === ANCHORS[drawing.kind] - 1) this.#finish();
      else this.#draft = { drawing, end: end + 1 };
    } else {
      const selected = this.#list[this.#selected];
      const parts = selected ? HANDLES[selected.kind].length : 0;
      this.#part = this.#part + 1 < parts ? this.#part + 1 : WHOLE;
    }
  }

  selectNext() {
    const next = this.#list.length ? (this.#selected + 1) % this.#list.length : -1;
    this.cancel();
    this.#selected = next;
  }

  deleteSelected() {
    const index = this.#selected;
    this.cancel();
    if (index >= 0) this.#change(this.#list.toSpliced(index, 1));
  }

  deleteAll() {
    this.cancel();
    if (this.#list.length) this.#change([]);
  }

  undo() {
    this.cancel();
    const before = this.#undo.pop();
    if (!before) return;
    this.#list = before;
    this.#onChange(before);
  }

  /**
   * Whether a press there would be for the drawings.
   * @param {Point} point
   * @param {number} tolerance
   */
  isOver(point, tolerance) {
    return this.#tool === null && this.#hit(point, tolerance) !== null;
  }

  /**
   * The topmost drawing at a point; what is selected is above all.
   * @param {Point} pointer
   * @param {number} tolerance
   */
  #hit(pointer, tolerance) {
    const selected = this.#list[this.#selected];
    const order = [...this.#list.entries()].reverse();
    if (selected) order.unshift([this.#selected, selected]);
    for (const [index, drawing] of order) {
      const points = this.#points(drawing);
      const part = points && partAt(drawing.kind, points, pointer, tolerance);
      if (part !== null) return { index, drawing, part };
    }
    return null;
  }

  /**
   * @param {Kind} kind
   * @param {Anchor} anchor
   */
  #begin(kind, anchor) {
    this.#draft = { drawing: drawingAt(kind, anchor), end: ANCHORS[kind] - 1 };
  }

  /** @param {Kind} kind */
  #beginByKeys(kind) {
    const anchor = this.#plot.start();
    if (anchor) this.#draft = { drawing: drawingAt(kind, anchor), end: 0 };
  }

  /**
   * The first end takes those along that come after it.
   * @param {Anchor} anchor
   */
  #moveDraftTo(anchor) {
    if (!this.#draft) return;
    const { drawing, end } = this.#draft;
    const moved =
      end === 0
        ? drawingAt(drawing.kind, anchor)
        : withHandleAt(drawing, { time: end, price: end }, anchor);
    this.#draft = { drawing: moved, end };
  }

  /**
   * @param {{ drawing: Drawing, end: number }} draft
   * @param {Point} by
   */
  #nudgeDraft({ drawing, end }, by) {
    const anchor = drawing.anchors[end];
    const point = anchor && this.#plot.toPoint(anchor);
    const moved = point && this.#plot.toAnchor({ x: point.x + by.x, y: point.y + by.y });
    if (moved) this.#moveDraftTo(moved);
  }

  /** Keep the draft, unless its ends are at one place. */
  #finish() {
    const drawing = this.#draft?.drawing;
    const points = drawing && this.#points(drawing);
    const [one, other] = points ?? [];
    if (!drawing || (one && other && distance(one, other) <= DRAG_PX)) return;
    this.cancel();
    this.#change([...this.#list, drawing]);
    this.#selected = this.#list.length - 1;
  }

  /**
   * @param {Drawing} drawing
   * @param {Point} by
   */
  #moved(drawing, by) {
    const points = this.#points(drawing);
    if (!points) return drawing;
    const handle = HANDLES[drawing.kind][this.#part];
    const from = handle
      ? handlePoints(drawing.kind, points).slice(this.#part, this.#part + 1)
      : points;
    const anchors = from.map(({ x, y }) => this.#plot.toAnchor({ x: x + by.x, y: y + by.y }));
    if (!anchors.every((anchor) => anchor !== null)) return drawing;
    const [first] = anchors;
    if (handle) return first ? withHandleAt(drawing, handle, first) : drawing;
    return { kind: drawing.kind, anchors };
  }

  /**
   * @param {Drawing} drawing
   * @returns {Point[] | null}
   */
  #points({ anchors }) {
    const points = anchors.map((anchor) => this.#plot.toPoint(anchor));
    return points.every((point) => point !== null) ? points : null;
  }

  /**
   * In place of the selected one, for as long as it is moved.
   * @param {Drawing} drawing
   */
  #replace(drawing) {
    if (this.#list[this.#selected]) this.#list = this.#list.with(this.#selected, drawing);
  }

  /** @param {readonly Drawing[]} list */
  #change(list) {
    this.#undo = [...this.#undo, this.#list].slice(-UNDO_STEPS);
    this.#list = list;
    this.#onChange(list);
  }
}
