// The candles of one coin and interval, from REST and from the live stream, by open time.

/**
 * @typedef {object} Candle
 * @property {number} openTime in ms
 * @property {number} closeTime in ms: its last
 * @property {string} open
 * @property {string} high
 * @property {string} low
 * @property {string} close
 * @property {string} volume
 * @property {string} quoteVolume
 * @property {number} trades how many; 0 if all of its trades are void: it is no longer one
 * @property {number} revision the store's, or an earlier one
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
  /** Whether what is loaded next takes the place of the list. */
  isAwaited = true;
  /**
   * What the stream sent while that was awaited.
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

  /** Let what is loaded from now on take the place of the list: trades may be void. */
  renew() {
    this.isAwaited = true;
    this.#early = [];
  }

  /**
   * Add loaded candles that reach back at least as far as the list.
   * @param {Candle[]} candles
   * @param {boolean} isFirst whether there are none before these
   */
  extend(candles, isFirst) {
    this.isComplete = isFirst;
    this.#isLoaded = true;
    if (this.isAwaited) this.list = [];
    const from = merge(this.list, candles);
    const early = this.#early.filter((candle) => this.#isInReach(candle));
    this.#early = [];
    const changed = Math.min(from, merge(this.list, early));
    const isRenewed = this.isAwaited;
    this.isAwaited = false;
    return isRenewed ? 0 : changed;
  }

  /**
   * Add a candle from the stream: the running one, or an older one that was changed.
   * @param {Candle} candle
   */
  amend(candle) {
    if (this.isAwaited) merge(this.#early, [candle]);
    const isHeld = this.#isLoaded && this.#isInReach(candle);
    return isHeld ? merge(this.list, [candle]) : this.list.length;
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
}

/**
 * Merge candles into a list; return the index of the first that changed.
 * @param {Candle[]} list
 * @param {Candle[]} candles
 */
function merge(list, candles) {
  let from = Infinity;
  for (const candle of candles) {
    const index = position(list, candle.openTime);
    const held = list[index];
    const isHeld = held?.openTime === candle.openTime;
    if (isHeld && !isNewer(candle, held)) continue;
    if (candle.trades) {
      list.splice(index, isHeld ? 1 : 0, candle);
      from = Math.min(from, index);
    } else if (isHeld) {
      list.splice(index, 1);
      from = 0; // what is drawn must be drawn anew
    }
  }
  return Math.min(from, list.length);
}

/**
 * Whether of two states of a candle the first is the newer. Only where trades are void, which
 * raises the revision, can a candle have fewer than before.
 * @param {Candle} candle
 * @param {Candle} held
 */
function isNewer(candle, held) {
  if (candle.revision !== held.revision) return candle.revision > held.revision;
  return candle.trades > held.trades;
}

/**
 * The index of the first candle that does not open before a time.
 * @param {Candle[]} list
 * @param {number} openTime
 */
function position(list, openTime) {
  /** @param {Candle | undefined} candle */
  const isBefore = (candle) => candle !== undefined && candle.openTime < openTime;
  const newest = list.at(-1);
  if (!newest || isBefore(newest)) return list.length;
  let low = 0;
  let high = list.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(list[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}
