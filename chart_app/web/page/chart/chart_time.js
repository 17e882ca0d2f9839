// The times of the chart, which counts in seconds.

/** @import { UTCTimestamp } from "lightweight-charts" */

/** @param {number} ms */
export const chartTime = (ms) => /** @type {UTCTimestamp} */ (ms / 1000);
