import assert from "node:assert/strict";
import { test } from "node:test";
import {
  format,
  formatCompact,
  formatNumber,
  priceChange,
  scaleOf,
} from "../../../../../../chart_app/web/page/text/decimal_format.js";

test("the scale is the number of digits without trailing zeros", () => {
  assert.equal(scaleOf("0.01000000"), 2);
  assert.equal(scaleOf("0.00000001"), 8);
  assert.equal(scaleOf("1.00"), 0);
  assert.equal(scaleOf("1"), 0);
});

test("a number is shown in the scale of its coin, and with all digits of its own", () => {
  assert.equal(format("91234.50000000", 2), "91,234.50");
  assert.equal(format("0.00000152", 8), "0.00000152");
  assert.equal(format("1234567", 0), "1,234,567");
  assert.equal(format("12.345", 2), "12.345");
  assert.equal(
    format("999999999999999999.123456789012345678", 2),
    "999,999,999,999,999,999.123456789012345678",
  );
});

test("the price axis has the scale of the coin", () => {
  assert.equal(formatNumber(91234.5, 2), "91,234.50");
  assert.equal(formatNumber(1.52e-6, 8), "0.00000152");
});

test("sums are short", () => {
  assert.equal(formatCompact("12345678.9"), "12.35M");
  assert.equal(formatCompact("0"), "0");
  assert.equal(formatCompact("0.000000123456"), "1.23e-7");
  assert.equal(formatCompact("7500000000000000000000"), "7.50e+21");
});

test("a change has a sign and an arrow", () => {
  assert.deepEqual(priceChange("100", "101.5").text, "▲ +1.50 %");
  assert.deepEqual(priceChange("100", "98").text, "▼ −2.00 %");
  assert.deepEqual(priceChange("100", "100.001").direction, "flat");
});
