// The server's time, by this machine's clock, which may be wrong.

export class ServerClock {
  #localNow;
  #aheadMs = 0;

  /** @param {() => number} localNow in ms */
  constructor(localNow) {
    this.#localNow = localNow;
  }

  /** @param {number} serverTime in ms, as the server has just said it */
  set(serverTime) {
    this.#aheadMs = serverTime - this.#localNow();
  }

  now() {
    return this.#localNow() + this.#aheadMs;
  }
}
