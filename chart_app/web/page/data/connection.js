// Whether what the page shows is what the server has.

/** @typedef {"connecting" | "open" | "stale" | "reconnecting"} Line */
/** @typedef {"connecting" | "loading" | "live" | "stale" | "notReady" | "reconnecting"} ConnectionState */

export class Connection {
  /** @type {Line} */
  #line = "connecting";
  #isReady = true;
  /** Whether the streams are followed, also while nothing is heard of them. */
  isOpen = false;
  /** Whether all was loaded since the line was opened and the server was ready. */
  #isLoaded = false;
  /** Whether more may have happened than the page shows: from a failure until all is loaded. */
  isOutOfDate = false;

  /** @returns {ConnectionState} */
  get state() {
    if (this.#line !== "open") return this.#line;
    if (!this.#isReady) return "notReady";
    return this.#isLoaded ? "live" : "loading";
  }

  /** @param {Line} line */
  setLine(line) {
    this.#line = line;
    if (line === "open") this.isOpen = true;
    else if (line !== "stale") this.isOpen = this.#isLoaded = false;
    this.#note();
  }

  /** What was asked for is loaded; without streams, more may have come since. */
  setLoaded() {
    this.#isLoaded = this.isOpen;
    this.#note();
  }

  /**
   * @param {boolean} isReady whether the server says that it can do its work
   * @returns {boolean} whether all must be loaded again
   */
  setReady(isReady) {
    const isBack = isReady && !this.#isReady;
    this.#isReady = isReady;
    if (isBack) this.#isLoaded = false;
    this.#note();
    return isBack;
  }

  #note() {
    const { state } = this;
    if (state === "live") this.isOutOfDate = false;
    else if (state !== "connecting" && state !== "loading") this.isOutOfDate = true;
  }
}
