// Asks the server whether it is ready: one that has lost Kafka or its database still answers.

const INTERVAL_MS = 10_000;
const AGAIN_MS = 2_000; // while it is not ready
const UNAVAILABLE = 503;

export class Readiness {
  #onAnswer;
  /** @type {number | undefined} */
  #timer;

  /** @param {(isReady: boolean) => void} onAnswer */
  constructor(onAnswer) {
    this.#onAnswer = onAnswer;
  }

  /** Ask now and every so often, until stopped. */
  async watch() {
    this.stop();
    let isReady = true; // without an answer: that the line is lost is seen elsewhere
    const timer = setTimeout(() => this.watch(), INTERVAL_MS);
    this.#timer = timer;
    try {
      isReady = (await fetch("/readyz", { cache: "no-store" })).status !== UNAVAILABLE;
    } catch {
      return;
    }
    if (this.#timer !== timer) return;
    this.#onAnswer(isReady);
    if (isReady) return;
    this.stop();
    this.#timer = setTimeout(() => this.watch(), AGAIN_MS);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
