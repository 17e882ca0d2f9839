// The alerts that have not fired yet. No DOM.
import { isReached, isSame } from "./alert.js";
import { MAX_ALERTS, readAlerts, writeAlerts } from "./kept_alerts.js";

/** @import { Kept } from "../settings/kept.js" */
/** @import { Alert } from "./alert.js" */

/** Kept on this browser, whose other tabs have the same ones. */
export class AlertBook {
  #kept;
  /** @type {readonly Alert[]} */
  #list;

  /** @param {Kept} kept */
  constructor(kept) {
    this.#kept = kept;
    this.#list = readAlerts(kept);
  }

  get list() {
    return this.#list;
  }

  /** Read them again: another tab has changed them. */
  reload() {
    this.#list = readAlerts(this.#kept);
  }

  /**
   * Add one, in place of the same one; return whether there was room.
   * @param {Alert} alert
   */
  add(alert) {
    const others = readAlerts(this.#kept).filter((each) => !isSame(each, alert));
    if (others.length >= MAX_ALERTS) return false;
    this.#write([...others, alert]);
    return true;
  }

  /** @param {Alert} alert */
  remove(alert) {
    this.#write(readAlerts(this.#kept).filter((each) => !isSame(each, alert)));
  }

  /**
   * Take out those that a last price of their coin fires, but for those that another tab took.
   * @param {string} coin
   * @param {string} lastPrice
   * @returns {Alert[]}
   */
  takeReached(coin, lastPrice) {
    const isTaken = (/** @type {Alert} */ alert) =>
      alert.coin === coin && isReached(alert, lastPrice);
    if (!this.#list.some(isTaken)) return [];
    const kept = readAlerts(this.#kept);
    this.#write(kept.filter((alert) => !isTaken(alert)));
    return kept.filter(isTaken);
  }

  /** @param {readonly Alert[]} list */
  #write(list) {
    this.#list = list;
    writeAlerts(this.#kept, list);
  }
}
