import assert from "node:assert/strict";
import { test } from "node:test";
import { pricesSince } from "../../../../../../chart_app/web/page/alerts/candle_prices.js";

const candle = (openTime, high, low, close) => ({ openTime, high, low, close });

test("of a candle that was seen, the extremes count that are new", () => {
  const before = candle(0, "10", "5", "7");
  assert.deepEqual(pricesSince(before, candle(0, "10", "5", "8")), ["8"]);
  assert.deepEqual(pricesSince(before, candle(0, "12", "5", "8")), ["12", "8"]);
  assert.deepEqual(pricesSince(before, candle(0, "10.0", "4", "8")), ["4", "8"]);
});

test("of a new candle all of it counts, of the first that is seen its last price", () => {
  assert.deepEqual(pricesSince(candle(0, "10", "5", "7"), candle(60, "9", "6", "8")), [
    "9",
    "6",
    "8",
  ]);
  assert.deepEqual(pricesSince(undefined, candle(0, "9", "6", "8")), ["8"]);
});
