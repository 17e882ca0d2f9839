// How long to wait before something that failed is tried again.

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 15_000;

/**
 * Doubles with each attempt, and is spread so that not all clients come at once.
 * @param {number} attempt counts from 0
 * @param {number} random from 0 to 1
 */
export function retryDelayMs(attempt, random) {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt) * (0.5 + random / 2);
}
