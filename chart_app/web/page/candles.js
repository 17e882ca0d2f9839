// The candles of one coin and interval, from REST and from the live stream, by open time.

/**
 * @typedef {object} Candle
 * @property {number} openTime in ms
 * @property {string} open
 * @property {string} high
 * @property {string} low
 * @property {string} close
 * @property {string} volume
 * @property {string} quoteVolume
 * @property {number} trades how many
 */

/**
 * A list without gaps or duplicates. `extend` and `amend` return the index of the first candle
 * that changed: the list's length if none did.
 */
export class Candles {
  /**
   * Oldest first, each open time once.
   * @type {Candle[]}
   */
  list = [];
  /** Whether there are no candles before the list. */
  isComplete = false;
  /**
   * What the stream sent before the first page was loaded.
   * @type {Candle[]}
   */
  #early = [];
  #isLoaded = false;

  get oldest() {
    return this.list[0];
  }

  get newest() {
    return this.list.at(-1);
  }

  /**
   * Add loaded candles that reach back at least as far as the list.
   * @param {Candle[]} candles
   * @param {boolean} isFirst whether there are none before these
   */
  extend(candles, isFirst) {
    this.isComplete = isFirst;
    this.#isLoaded = true;
    const from = this.#merge(candles);
    const early = this.#early.filter((candle) => this.#isInReach(candle));
    this.#early = [];
    return Math.min(from, this.#merge(early));
  }

  /**
   * Add a candle from the stream: the running one, or an older one that a late trade changed.
   * @param {Candle} candle
   */
  amend(candle) {
    if (!this.#isLoaded) {
      this.#early.push(candle);
      return this.list.length;
    }
    return this.#isInReach(candle) ? this.#merge([candle]) : this.list.length;
  }

  /**
   * A candle before the list would leave a gap, unless there are none between; loading older
   * candles will bring it.
   * @param {Candle} candle
   */
  #isInReach(candle) {
    return (
      this.isComplete || (this.oldest !== undefined && candle.openTime >= this.oldest.openTime)
    );
  }

  /**
   * The number of a candle's trades only grows: of two states the one with more is the newer.
   * @param {Candle[]} candles
   */
  #merge(candles) {
    let from = Infinity;
    for (const candle of candles) {
      const index = this.#position(candle.openTime);
      const held = this.list[index];
      if (held?.openTime !== candle.openTime) this.list.splice(index, 0, candle);
      else if (candle.trades > held.trades) this.list[index] = candle;
      else continue;
      from = Math.min(from, index);
    }
    return Math.min(from, this.list.length);
  }

  /**
   * The index of the first candle that does not open before a time.
   * @param {number} openTime
   */
  #position(openTime) {
    /** @param {Candle | undefined} candle */
    const isBefore = (candle) => candle !== undefined && candle.openTime < openTime;
    if (!this.newest || isBefore(this.newest)) return this.list.length;
    let low = 0;
    let high = this.list.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(this.list[middle])) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
