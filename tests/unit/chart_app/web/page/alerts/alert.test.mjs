import assert from "node:assert/strict";
import { test } from "node:test";
import {
  alertAt,
  isPrice,
  isReached,
  isSame,
} from "../../../../../../chart_app/web/page/alerts/alert.js";

test("a price is a positive decimal", () => {
  for (const text of ["1", "0.00000001", "91234.50", "9".repeat(100)]) assert.ok(isPrice(text));
  const none = ["", "0", "0.000", "-1", "+1", "1e5", "1,5", ".5", "5.", " 1", "1\n", "NaN"];
  for (const text of [...none, "9".repeat(101)]) assert.equal(isPrice(text), false, text);
});

test("an alert above the last price fires at its price or above, one below at it or below", () => {
  const above = alertAt("BTC", "110", "100");
  assert.deepEqual(above, { coin: "BTC", price: "110", move: "rise" });
  assert.deepEqual(
    ["90", "109.99", "110.0", "111"].map((price) => isReached(above, price)),
    [false, false, true, true],
  );
  const below = alertAt("BTC", "90", "100");
  assert.deepEqual(
    ["110", "90.01", "90", "0.5"].map((price) => isReached(below, price)),
    [false, false, true, true],
  );
});

test("where the price is already, there is no alert", () => {
  assert.equal(alertAt("BTC", "100.00", "100"), undefined);
});

test("all digits count", () => {
  const alert = alertAt("BTC", "0.12345678901234567891", "0.12345678901234567890");
  assert.equal(alert.move, "rise");
  assert.equal(isReached(alert, "0.1234567890123456789"), false);
});

test("of a coin and a price there is one", () => {
  const alert = alertAt("BTC", "1.50", "1");
  assert.ok(isSame(alert, alertAt("BTC", "1.5", "2")));
  assert.equal(isSame(alert, alertAt("btc", "1.5", "2")), false);
  assert.equal(isSame(alert, alertAt("BTC", "1.51", "2")), false);
});
