// Whether what is shown is up to date: a word at the top, a banner and dimmed prices if not.

/** @import { Store } from "./data/store.js" */
/** @import { Say } from "./text/texts.js" */

/** Why what is shown may be out of date, by the connection's state. */
const OUT_OF_DATE = /** @type {const} */ ({
  connecting: "isBeingReloaded",
  loading: "isBeingReloaded",
  live: "isBeingReloaded",
  stale: "isWithoutAnswer",
  notReady: "isNotReady",
  reconnecting: "isDisconnected",
});

export class ConnectionView {
  #elements;
  #store;
  #say;

  /**
   * @param {{ word: HTMLElement, banner: HTMLElement }} elements
   * @param {Store} store
   * @param {Say} say
   */
  constructor(elements, store, say) {
    this.#elements = elements;
    this.#store = store;
    this.#say = say;
  }

  draw() {
    const { word, banner } = this.#elements;
    const { connection, shown, asOf } = this.#store;
    const isTraded = shown !== null && asOf === null;
    const { state, isOutOfDate } = connection;
    word.dataset.state = state;
    setText(word, this.#say(state === "live" && !isTraded ? "connected" : state));
    banner.hidden = !isOutOfDate;
    setText(banner, isOutOfDate ? this.#say(OUT_OF_DATE[state]) : "");
    document.body.classList.toggle("out-of-date", isOutOfDate);
  }
}

/**
 * Set it only if it is another one: a screen reader may read it once more.
 * @param {HTMLElement} element
 * @param {string} text
 */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
