// What the page is to show and what it shows.
import { Candles } from "./candles.js";
import { Connection } from "./connection.js";
import { ServerClock } from "./server_clock.js";

/** @import { Selection } from "../settings/address.js" */
/** @import { Buckets } from "../settings/buckets.js" */
/** @import { Zone } from "../text/zone.js" */

/**
 * What a coin is, and what its price is in: BTC and USD.
 * @typedef {{ base: string, quote: string }} Assets
 */

/**
 * What is on the screen.
 * @typedef {object} Shown
 * @property {string} coin
 * @property {Buckets} buckets
 * @property {Zone} zone by whose clocks trades are read
 * @property {Candles} candles
 * @property {Assets | null} assets null until they are loaded
 * @property {number | null} lastTradeTime in ms; null until it is loaded
 */

const OLD_AFTER_MS = 24 * 60 * 60_000;
const NOTHING_KNOWN = Object.freeze({ assets: null, lastTradeTime: null });

/** The state that the modules share; what only one of them needs is its own. */
export class Store {
  /**
   * What the address names; the coin may not be known yet.
   * @type {Selection}
   */
  selection;
  /**
   * What the selection names, once its coin is known.
   * @type {Shown | null}
   */
  shown = null;
  /** The highest revision of the store that a candle had: each void of trades raises it. */
  revision = 0;
  connection = new Connection();
  clock = new ServerClock(Date.now);
  /** Whether the candles are shown as a table. */
  isTable = false;
  /**
   * The open time of the candle under the cursor.
   * @type {number | null}
   */
  hoveredTime = null;
  /** The index of the first candle that has changed since it was drawn. */
  undrawnFrom = Infinity;

  /** @param {Selection} selection */
  constructor(selection) {
    this.selection = selection;
  }

  /**
   * Begin with another coin, interval or zone, without candles.
   * @param {string} coin
   * @param {Buckets} buckets
   * @param {Zone} zone
   * @returns {Shown}
   */
  show(coin, buckets, zone) {
    const isSameCoin = this.shown?.coin === coin;
    const { assets, lastTradeTime } = (isSameCoin && this.shown) || NOTHING_KNOWN;
    this.clear();
    this.shown = { coin, buckets, zone, candles: new Candles(), assets, lastTradeTime };
    return this.shown;
  }

  /** When the coin shown was traded last (ms), where that is long ago; else null. */
  get asOf() {
    const time = this.shown?.lastTradeTime ?? null;
    return time !== null && this.isOld(time) ? time : null;
  }

  /**
   * Whether what was true at a time is not to be taken for what is.
   * @param {number} time in ms
   */
  isOld(time) {
    return time < this.clock.now() - OLD_AFTER_MS;
  }

  /** Show nothing. */
  clear() {
    this.shown = null;
    this.hoveredTime = null;
    this.undrawnFrom = Infinity;
  }
}
