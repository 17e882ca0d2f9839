// A message in the chart's place.

/** @import { Store } from "./data/store.js" */
/** @import { Say } from "./text/texts.js" */

/** What is loaded sooner is not announced: that would only flicker. */
const LOADING_AFTER_MS = 150;

export class Notice {
  #element;
  #chart;
  #store;
  #say;
  /** @type {number | undefined} */
  #loadingTimer;

  /**
   * @param {HTMLElement} element
   * @param {HTMLElement} chart
   * @param {Store} store
   * @param {Say} say
   */
  constructor(element, chart, store, say) {
    this.#element = element;
    this.#chart = chart;
    this.#store = store;
    this.#say = say;
  }

  /**
   * @param {Node | string} content
   * @param {boolean} [isAllThereIs] whether there is no coin to show figures of
   */
  show(content, isAllThereIs = false) {
    clearTimeout(this.#loadingTimer);
    this.#element.replaceChildren(content);
    this.#toggle(true);
    document.body.classList.toggle("empty", isAllThereIs);
  }

  /** Say that something is being loaded, unless it is there soon. */
  showLoading() {
    clearTimeout(this.#loadingTimer);
    this.#loadingTimer = setTimeout(() => {
      this.#element.replaceChildren(this.#say("loading"));
      this.#element.hidden = false; // the chart is not inert: it keeps the focus
    }, LOADING_AFTER_MS);
  }

  hide() {
    clearTimeout(this.#loadingTimer);
    this.#element.replaceChildren();
    this.#toggle(false);
    document.body.classList.remove("empty");
  }

  /** @param {boolean} isShown */
  #toggle(isShown) {
    this.#element.hidden = !isShown;
    this.#chart.inert = isShown || this.#store.isTable;
  }
}
