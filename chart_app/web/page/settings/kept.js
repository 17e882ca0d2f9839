// What is kept on this browser from one visit to the next.

/**
 * Values by name, in the browser's storage; where that is blocked or full, for this visit only.
 * Anything may stand in the storage, so who reads a value checks it.
 */
export class Kept {
  #storage;
  /** @type {Map<string, string>} */
  #memory = new Map();

  /** @param {() => Storage} storage throws where it is blocked */
  constructor(storage) {
    this.#storage = storage;
  }

  /**
   * The value last written, else undefined.
   * @param {string} name
   * @returns {unknown}
   */
  read(name) {
    try {
      const text = this.#memory.get(name) ?? this.#storage().getItem(name);
      return text === null ? undefined : JSON.parse(text);
    } catch {
      return undefined; // blocked, or not ours
    }
  }

  /**
   * @param {string} name
   * @param {unknown} value that JSON can express
   */
  write(name, value) {
    const text = JSON.stringify(value);
    try {
      this.#storage().setItem(name, text);
      this.#memory.delete(name);
    } catch {
      this.#memory.set(name, text);
    }
  }
}
