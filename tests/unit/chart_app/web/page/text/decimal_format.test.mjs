import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compareDecimals,
  priceChange,
  scaleOf,
} from "../../../../../../chart_app/web/page/text/decimal_format.js";

test("the scale is the number of digits behind the point", () => {
  assert.equal(scaleOf("0.0100"), 4);
  assert.equal(scaleOf("0.00000001"), 8);
  assert.equal(scaleOf("1.00"), 2);
  assert.equal(scaleOf("1"), 0);
});

test("a change that rounds to nothing has no direction", () => {
  assert.deepEqual(priceChange("100", "98"), { percent: -2.0000000000000018, direction: "down" });
  assert.equal(priceChange("100", "101.5").direction, "up");
  assert.deepEqual(priceChange("100", "100.001"), { percent: 0, direction: "flat" });
});

test("decimals are compared with all their digits", () => {
  assert.equal(compareDecimals("1.5", "1.50"), 0);
  assert.equal(compareDecimals("007", "7.000"), 0);
  assert.equal(compareDecimals("0.1", "0.09"), 1);
  assert.equal(compareDecimals("9", "10"), -1);
  assert.equal(compareDecimals("12345678901234567890.1", "12345678901234567890.2"), -1);
});
