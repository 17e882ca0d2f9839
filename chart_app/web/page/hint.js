// A short message that goes by itself.

const SHOWN_MS = 5000;

export class Hint {
  #element;
  /** @type {number | undefined} */
  #timer;

  /** @param {HTMLElement} element of role "status" */
  constructor(element) {
    this.#element = element;
  }

  /** @param {string} text */
  show(text) {
    this.#element.textContent = text;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#element.textContent = "";
    }, SHOWN_MS);
  }
}
