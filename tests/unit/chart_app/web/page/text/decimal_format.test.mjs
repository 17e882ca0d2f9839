import assert from "node:assert/strict";
import { test } from "node:test";
import { priceChange, scaleOf } from "../../../../../../chart_app/web/page/text/decimal_format.js";

test("the scale is the number of digits without trailing zeros", () => {
  assert.equal(scaleOf("0.01000000"), 2);
  assert.equal(scaleOf("0.00000001"), 8);
  assert.equal(scaleOf("1.00"), 0);
  assert.equal(scaleOf("1"), 0);
});

test("a change that rounds to nothing has no direction", () => {
  assert.deepEqual(priceChange("100", "98"), { percent: -2.0000000000000018, direction: "down" });
  assert.equal(priceChange("100", "101.5").direction, "up");
  assert.deepEqual(priceChange("100", "100.001"), { percent: 0, direction: "flat" });
});
