// What the page is to show and what it shows.
import { Candles } from "./candles.js";

/** @import { Selection } from "../settings/address.js" */

/**
 * The coin and interval on the screen.
 * @typedef {{ coin: string, interval: string, candles: Candles }} Shown
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
   * Begin with another coin or interval, without candles.
   * @param {string} coin
   * @param {string} interval
   * @returns {Shown}
   */
  show(coin, interval) {
    this.shown = { coin, interval, candles: new Candles() };
    return this.shown;
  }

  /** Show nothing. */
  clear() {
    this.shown = null;
    this.hoveredTime = null;
    this.undrawnFrom = Infinity;
  }
}
