// Work of which one is done at a time: again if it was asked for meanwhile, later if it failed.
import { retryDelayMs } from "./backoff.js";

/**
 * @typedef {object} TaskHandlers
 * @property {(error: unknown) => boolean} onFailure returns whether to try again later
 * @property {() => boolean} mayRetry is asked when it is time to
 */

export class Task {
  #work;
  #handlers;
  /** @type {Promise<void> | null} */
  #running = null;
  #isWanted = false;
  #failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #aborter = new AbortController();

  /**
   * @param {(signal: AbortSignal) => Promise<void>} work
   * @param {TaskHandlers} handlers
   */
  constructor(work, handlers) {
    this.#work = work;
    this.#handlers = handlers;
  }

  get isRunning() {
    return this.#running !== null;
  }

  /** Do the work once more; return when it is done, or has failed. */
  run() {
    clearTimeout(this.#timer);
    this.#isWanted = true;
    this.#running ??= this.#loop(this.#aborter.signal);
    return this.#running;
  }

  /** Give up what is being done, and what was to be tried again. */
  abort() {
    clearTimeout(this.#timer);
    this.#aborter.abort();
    this.#aborter = new AbortController();
    this.#running = null;
    this.#isWanted = false;
  }

  /** @param {AbortSignal} signal */
  async #loop(signal) {
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        await this.#work(signal);
        if (signal.aborted) return;
        this.#failures = 0;
      }
    } catch (error) {
      if (signal.aborted) return;
      const isRetried = this.#handlers.onFailure(error);
      if (signal.aborted) return;
      if (isRetried) this.#retryLater();
    }
    this.#running = null;
  }

  #retryLater() {
    const delayMs = retryDelayMs(this.#failures++, Math.random());
    this.#timer = setTimeout(() => {
      if (this.#handlers.mayRetry()) this.run();
    }, delayMs);
  }
}
