// The candles of one coin and interval, from history and from the live feed, by open time.

/** From a row of /api/v3/klines. */
export function fromRow([time, open, high, low, close, volume, , quoteVolume, trades]) {
  return { time, open, high, low, close, volume, quoteVolume, trades };
}

/** From the k of a kline event. */
export function fromEvent({ t, o, h, l, c, v, q, n }) {
  return { time: t, open: o, high: h, low: l, close: c, volume: v, quoteVolume: q, trades: n };
}

/**
 * A list without hole or double. `extend` and `amend` return the index from which on it has
 * changed: its length if nothing did.
 */
export class Candles {
  /** Oldest first, each open time once. */
  list = [];
  /** Whether history has nothing before the list. */
  isComplete = false;
  #early = []; // what came before any history
  #isLoaded = false;

  get newest() {
    return this.list.at(-1);
  }

  /** Take history that reaches back at least as far as the list, and whether nothing is before it. */
  extend(candles, isFirst) {
    this.isComplete = isFirst;
    this.#isLoaded = true;
    const from = this.#merge(candles);
    const early = this.#early.filter((candle) => this.#isInReach(candle));
    this.#early = [];
    return Math.min(from, this.#merge(early));
  }

  /** Take a candle from the feed: the running one, or an older one that a late trade changed. */
  amend(candle) {
    if (!this.#isLoaded) {
      this.#early.push(candle);
      return this.list.length;
    }
    return this.#isInReach(candle) ? this.#merge([candle]) : this.list.length;
  }

  /** Between a candle far back and the list would be a hole; history brings it in time. */
  #isInReach(candle) {
    return this.isComplete || candle.time >= this.list[0].time;
  }

  /** A candle's trades only become more: of two states the one with more is the newer. */
  #merge(candles) {
    let from = Infinity;
    for (const candle of candles) {
      const index = this.#position(candle.time);
      const held = this.list[index];
      if (held?.time !== candle.time) this.list.splice(index, 0, candle);
      else if (candle.trades > held.trades) this.list[index] = candle;
      else continue;
      from = Math.min(from, index);
    }
    return Math.min(from, this.list.length);
  }

  /** The index of the first candle that is not before a time. */
  #position(time) {
    if (!this.list.length || this.newest.time < time) return this.list.length;
    let low = 0;
    let high = this.list.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.list[middle].time < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
