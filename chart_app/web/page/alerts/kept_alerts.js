// The alerts of all coins, as they are kept on this browser.
import { isPrice } from "./alert.js";

/** @import { Kept } from "../settings/kept.js" */
/** @import { Alert } from "./alert.js" */

export const KEPT_ALERTS = "alerts";
/** Of all coins: each is compared with every price that comes. */
export const MAX_ALERTS = 100;
const LONGEST_COIN = 128; // 64 characters, of up to two code units

/** @param {Kept} kept */
export const readAlerts = (kept) => parseAlerts(kept.read(KEPT_ALERTS));

/**
 * @param {Kept} kept
 * @param {readonly Alert[]} alerts
 */
export const writeAlerts = (kept, alerts) => kept.write(KEPT_ALERTS, alerts);

/**
 * What of a value is alerts.
 * @param {unknown} value
 * @returns {Alert[]}
 */
export function parseAlerts(value) {
  if (!Array.isArray(value)) return [];
  return value
    .slice(0, MAX_ALERTS)
    .filter(isAlert)
    .map(({ coin, price, move }) => ({ coin, price, move }));
}

/**
 * @param {unknown} value
 * @returns {value is Alert}
 */
function isAlert(value) {
  const { coin, price, move } = Object(value);
  return (
    typeof coin === "string" &&
    coin.length <= LONGEST_COIN &&
    typeof price === "string" &&
    isPrice(price) &&
    (move === "rise" || move === "fall")
  );
}
