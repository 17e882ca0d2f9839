// The field that searches the list, and leads into it by keyboard.

/**
 * @typedef {object} CoinSearchHandlers
 * @property {() => void} onInput
 * @property {() => void} onEnter where something is searched
 * @property {() => void} onDown
 * @property {() => void} onUp
 */

export class CoinSearch {
  #input;
  #handlers;

  /**
   * @param {HTMLInputElement} input
   * @param {CoinSearchHandlers} handlers
   */
  constructor(input, handlers) {
    this.#input = input;
    this.#handlers = handlers;
    input.addEventListener("input", () => handlers.onInput());
    input.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** What the name of a coin is to contain, in lower case. */
  get text() {
    return this.#input.value.trim().toLowerCase();
  }

  focus() {
    this.#input.focus();
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.isComposing) return; // Enter then ends a Korean syllable
    /** @type {Record<string, () => void>} */
    const actions = {
      Enter: () => this.text && this.#handlers.onEnter(),
      ArrowDown: () => this.#handlers.onDown(),
      ArrowUp: () => this.#handlers.onUp(),
      Escape: () => this.#clear(),
    };
    const act = actions[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #clear() {
    this.#input.value = "";
    this.#handlers.onInput();
  }
}
