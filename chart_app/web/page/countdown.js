// How long the newest candle still runs, by the server's clock, second by second.
import { formatRemaining } from "./text/time_format.js";

/** @import { Store } from "./data/store.js" */
/** @import { Say } from "./text/texts.js" */

const SECOND_MS = 1000;

export class Countdown {
  #store;
  #say;
  #onChange;

  /**
   * @param {Store} store
   * @param {Say} say
   * @param {(remaining: string) => void} onChange gets none where no candle runs
   */
  constructor(store, say, onChange) {
    this.#store = store;
    this.#say = say;
    this.#onChange = onChange;
  }

  start() {
    const { clock, shown } = this.#store;
    const now = clock.now();
    const remainingMs = (shown?.candles.newest?.closeTime ?? 0) + 1 - now;
    this.#onChange(remainingMs > 0 ? formatRemaining(remainingMs, this.#say) : "");
    setTimeout(() => this.start(), SECOND_MS - (now % SECOND_MS));
  }
}
