// A message in the chart's place.

/** @import { Store } from "./data/store.js" */

export class Notice {
  #element;
  #chart;
  #store;

  /**
   * @param {HTMLElement} element
   * @param {HTMLElement} chart
   * @param {Store} store
   */
  constructor(element, chart, store) {
    this.#element = element;
    this.#chart = chart;
    this.#store = store;
  }

  /** @param {Node | string} content */
  show(content) {
    this.#element.replaceChildren(content);
    this.#toggle(true);
  }

  hide() {
    this.#element.replaceChildren();
    this.#toggle(false);
  }

  /** @param {boolean} isShown */
  #toggle(isShown) {
    this.#element.hidden = !isShown;
    this.#chart.inert = isShown || this.#store.isTable;
    document.body.classList.toggle("empty", isShown);
  }
}
