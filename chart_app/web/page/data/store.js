// What the page is to show and what it shows.
import { Candles } from "./candles.js";
import { ServerClock } from "./server_clock.js";

/** @import { Selection } from "../settings/address.js" */
/** @import { Buckets } from "../settings/buckets.js" */
/** @import { Zone } from "../text/zone.js" */

/**
 * What is on the screen; the zone is that by whose clocks trades are read.
 * @typedef {{ coin: string, buckets: Buckets, zone: Zone, candles: Candles }} Shown
 */

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
  clock = new ServerClock(Date.now);
  /** Whether the live streams are received. */
  isConnected = false;
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
    this.shown = { coin, buckets, zone, candles: new Candles() };
    return this.shown;
  }

  /** Show nothing. */
  clear() {
    this.shown = null;
    this.hoveredTime = null;
    this.undrawnFrom = Infinity;
  }
}
