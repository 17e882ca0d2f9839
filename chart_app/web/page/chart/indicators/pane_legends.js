// The legends in the panes below the candles: one a pane, with all of its indicators.

/** @import { IPaneApi, Time } from "lightweight-charts" */
/** @import { ShownStudy } from "./shown_study.js" */

const CANVAS_CELL = 1; // a pane is a row: the axis at the left, the canvas, the axis at the right

export class PaneLegends {
  /** @type {Map<IPaneApi<Time>, HTMLElement>} */
  #legends = new Map();

  /** How many panes have one. */
  get count() {
    return this.#legends.size;
  }

  /**
   * Have those of these indicators and of no others.
   * @param {readonly ShownStudy[]} studies
   */
  hold(studies) {
    for (const legend of this.#legends.values()) legend.remove();
    this.#legends.clear();
    for (const { pane, legend } of studies) {
      if (!pane) continue;
      const held = this.#legends.get(pane) ?? document.createElement("p");
      held.className = "legend pane-legend";
      held.append(legend.element);
      this.#legends.set(pane, held);
    }
  }

  /** Put each where its pane is by now: the library makes panes late, and moves them. */
  place() {
    for (const [pane, legend] of this.#legends) {
      const row = pane.getHTMLElement();
      const cell = row instanceof HTMLTableRowElement ? row.cells[CANVAS_CELL] : undefined;
      if (cell && legend.parentElement !== cell) cell.append(legend);
    }
  }
}
