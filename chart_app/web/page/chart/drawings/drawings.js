// The drawings on the chart of the coin that is shown: what pointer, keys and buttons do to them.
import { openBelow } from "../../popover.js";
import { readColors } from "../chart_colors.js";
import { DrawingsPrimitive } from "./drawings_primitive.js";
import { Editor } from "./editor.js";
import { keyOf, MAX_DRAWINGS, readDrawings, writeDrawings } from "./kept_drawings.js";
import { Plot } from "./plot.js";

/** @import { Hint } from "../../hint.js" */
/** @import { Kept } from "../../settings/kept.js" */
/** @import { Say } from "../../text/texts.js" */
/** @import { Chart } from "../chart.js" */
/** @import { Kind } from "./drawing.js" */
/** @import { DrawingElements } from "./drawing_elements.js" */

const MOUSE_TOLERANCE_PX = 6;
const FINGER_TOLERANCE_PX = 16;
const KEY_STEPS = 100; // from the bottom of the prices to the top
const LARGE_STEP = 10; // times as far, with Shift
const NAMES = /** @type {const} */ ({
  trend: "trendLine",
  horizontal: "horizontalLine",
  rectangle: "rectangle",
});
const hintName = () => (matchMedia("(pointer: coarse)").matches ? "drawHintTouch" : "drawHint");

export class Drawings {
  #elements;
  #kept;
  #say;
  #hint;
  #plot = new Plot();
  #editor = new Editor(this.#plot, (drawings) => {
    if (this.#coin !== null) writeDrawings(this.#kept, this.#coin, drawings);
  });
  #primitive;
  /** @type {string | null} */
  #coin = null;
  /** Whether the press that goes on is not for the chart. */
  #isTaken = false;

  /**
   * @param {DrawingElements} elements
   * @param {Chart} chart
   * @param {Kept} kept
   * @param {Say} say
   * @param {Hint} hint
   */
  constructor(elements, chart, kept, say, hint) {
    this.#elements = elements;
    this.#kept = kept;
    this.#say = say;
    this.#hint = hint;
    this.#primitive = new DrawingsPrimitive(this.#plot, readColors(elements.chart), (x, y) =>
      this.#editor.isOver({ x, y }, MOUSE_TOLERANCE_PX),
    );
    chart.attachPrimitive(this.#primitive);
    document.addEventListener("themechange", () =>
      this.#primitive.recolor(readColors(elements.chart)),
    );
    addEventListener("storage", ({ key }) => {
      if (this.#coin !== null && key === keyOf(this.#coin)) this.#load(); // by another tab
    });
    openBelow(elements.tools, elements.button);
    this.#listenToPointer();
    this.#listenToButtons();
    elements.chart.addEventListener("keydown", (event) => this.#press(event), { capture: true });
  }

  /**
   * @param {string} coin
   * @param {string} interval
   */
  show(coin, interval) {
    this.#plot.setInterval(interval);
    const isOther = coin !== this.#coin;
    this.#coin = coin;
    if (isOther) this.#load();
  }

  #load() {
    this.#editor.load(this.#coin === null ? [] : readDrawings(this.#kept, this.#coin));
    this.#draw();
  }

  #listenToPointer() {
    const { chart } = this.#elements;
    chart.addEventListener("pointerdown", (event) => {
      this.#isTaken = false;
      const { place } = this.#plot;
      const point = this.#pointOf(event);
      const isInside =
        place && point.x >= 0 && point.x < place.width && point.y >= 0 && point.y < place.height;
      if (!isInside || !event.isPrimary || event.button !== 0) return;
      const isFinger = event.pointerType === "touch";
      const tolerance = isFinger ? FINGER_TOLERANCE_PX : MOUSE_TOLERANCE_PX;
      this.#isTaken = this.#editor.press(point, { tolerance, mayScroll: isFinger });
      this.#draw();
    });
    // The chart listens to these, not to pointer events.
    for (const type of ["mousedown", "touchstart"]) {
      chart.addEventListener(type, (event) => this.#keepFromChart(event), {
        capture: true,
        passive: false,
      });
    }
    document.addEventListener("pointermove", (event) => {
      if (!this.#editor.isMoving || !event.isPrimary) return;
      this.#editor.move(this.#pointOf(event));
      this.#draw();
    });
    document.addEventListener("pointerup", (event) => {
      if (!this.#editor.isMoving || !event.isPrimary) return;
      this.#editor.release(this.#pointOf(event));
      this.#draw();
    });
    document.addEventListener("pointercancel", () => {
      if (this.#editor.isMoving) this.#do(() => this.#editor.cancel());
    });
  }

  /** @param {Event} event */
  #keepFromChart(event) {
    if (!this.#isTaken) return;
    event.stopPropagation();
    if (event.type === "touchstart") event.preventDefault(); // the page does not scroll
    this.#elements.chart.focus({ preventScroll: true });
  }

  #listenToButtons() {
    const { chart, tools, undo, deleteAll, deleteActive, cancel } = this.#elements;
    tools.addEventListener("click", ({ target }) => {
      const kind = target instanceof HTMLElement && target.dataset.draw;
      if (kind) this.#choose(/** @type {Kind} */ (kind));
    });
    const toChart = () => chart.focus({ preventScroll: true });
    undo.addEventListener("click", () => this.#do(() => this.#editor.undo()));
    deleteAll.addEventListener("click", () => this.#do(() => this.#editor.deleteAll()));
    deleteActive.addEventListener("click", () => {
      this.#do(() => this.#editor.deleteSelected());
      toChart();
    });
    cancel.addEventListener("click", () => {
      this.#do(() => this.#editor.cancel());
      toChart();
    });
  }

  /** @param {Kind} kind */
  #choose(kind) {
    const { tools, chart } = this.#elements;
    tools.hidePopover();
    chart.focus({ preventScroll: true });
    chart.scrollIntoView({ block: "nearest" });
    if (this.#editor.isFull) {
      this.#hint.show(this.#say("drawingsFull", { count: String(MAX_DRAWINGS) }));
    }
    this.#do(() => this.#editor.choose(kind));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const action = this.#actionOf(event);
    if (!action) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // the key is not for the chart
    action();
    this.#draw();
    this.#tell();
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {(() => void) | undefined}
   */
  #actionOf({ key, shiftKey, ctrlKey, metaKey, altKey }) {
    const editor = this.#editor;
    if (altKey) return undefined;
    if (ctrlKey || metaKey) {
      return key === "z" && !shiftKey && editor.canUndo ? () => editor.undo() : undefined;
    }
    if (key.toLowerCase() === "d") return editor.isEmpty ? undefined : () => editor.selectNext();
    if (!editor.tool && !editor.active) return undefined;
    const times = shiftKey ? LARGE_STEP : 1;
    const x = this.#plot.barSpacing * times;
    const y = (this.#plot.size.height / KEY_STEPS) * times;
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowLeft: () => editor.nudge({ x: -x, y: 0 }),
      ArrowRight: () => editor.nudge({ x, y: 0 }),
      ArrowUp: () => editor.nudge({ x: 0, y: -y }),
      ArrowDown: () => editor.nudge({ x: 0, y }),
      Enter: () => editor.enter(),
      Escape: () => editor.cancel(),
      Delete: () => editor.deleteSelected(),
      Backspace: () => editor.deleteSelected(),
    };
    return actions[key];
  }

  /** @param {() => void} action */
  #do(action) {
    action();
    this.#draw();
  }

  #draw() {
    const editor = this.#editor;
    const { drawings, active, tool } = editor;
    this.#primitive.show({ drawings, active });
    const { undo, deleteAll, deleteActive, activeName, cancel } = this.#elements;
    undo.disabled = !editor.canUndo;
    deleteAll.disabled = editor.isEmpty;
    deleteActive.hidden = tool !== null;
    const kind = tool ?? active?.kind;
    this.#elements.active.hidden = kind === undefined;
    if (kind === undefined) return;
    const name = this.#say(NAMES[kind]);
    const text = tool ? this.#say(hintName(), { name }) : name;
    if (activeName.textContent !== text) activeName.textContent = text;
    cancel.textContent = this.#say(tool ? "cancel" : "done");
  }

  /** Say where the keys have put it. */
  #tell() {
    const { active, activeAnchor } = this.#editor;
    if (!active || !activeAnchor) return;
    this.#elements.activeName.textContent = this.#say(
      active.kind === "horizontal" ? "drawnAtPrice" : "drawnAt",
      { name: this.#say(NAMES[active.kind]), ...this.#plot.format(activeAnchor) },
    );
  }

  /** @param {PointerEvent} event */
  #pointOf({ clientX, clientY }) {
    const { left, top } = this.#plot.place ?? { left: 0, top: 0 };
    return { x: clientX - left, y: clientY - top };
  }
}
