// The coins that the reader has starred, kept on this browser.

/** @import { Kept } from "../settings/kept.js" */

const KEPT_FAVORITES = "favorites";
/** More than anybody stars by hand; what stands in the storage may be anything. */
export const MAX_FAVORITES = 1_000;

export class Favorites {
  #kept;
  #names;

  /** @param {Kept} kept */
  constructor(kept) {
    this.#kept = kept;
    this.#names = this.#read();
  }

  /** @param {string} name */
  has(name) {
    return this.#names.has(name);
  }

  /**
   * Star a coin, or take its star; the oldest star goes where there are too many.
   * @param {string} name
   */
  toggle(name) {
    const names = this.#read(); // another tab may have changed them
    if (this.#names.has(name)) names.delete(name);
    else names.add(name);
    this.#names = new Set([...names].slice(-MAX_FAVORITES));
    this.#kept.write(KEPT_FAVORITES, [...this.#names]);
  }

  #read() {
    const names = this.#kept.read(KEPT_FAVORITES);
    if (!Array.isArray(names)) return new Set();
    return new Set(names.filter((name) => typeof name === "string").slice(-MAX_FAVORITES));
  }
}
