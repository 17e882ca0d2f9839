import assert from "node:assert/strict";
import { test } from "node:test";
import {
  MAX_ALERTS,
  parseAlerts,
} from "../../../../../../chart_app/web/page/alerts/kept_alerts.js";

const ALERT = { coin: "BTC", price: "91234.5", move: "rise" };

test("what is no alert is left out", () => {
  const none = [
    null,
    7,
    "alert",
    [],
    {},
    { ...ALERT, coin: 1 },
    { ...ALERT, coin: "x".repeat(129) },
    ...[5, "-1", "0", "1e5", "9".repeat(1_000_000), null, ["1"]].map((price) => ({
      ...ALERT,
      price,
    })),
    ...["up", "toString", null, ["rise"]].map((move) => ({ ...ALERT, move })),
  ];
  assert.deepEqual(parseAlerts([...none, ALERT]), [ALERT]);
  for (const value of [undefined, null, 1, "[]", { length: 1, 0: ALERT }]) {
    assert.deepEqual(parseAlerts(value), []);
  }
});

test("of an alert only what it needs is taken, and of a huge list only the first", () => {
  assert.deepEqual(parseAlerts([{ ...ALERT, onclick: "alert(1)" }]), [ALERT]);
  assert.equal(parseAlerts(Array(1_000_000).fill(ALERT)).length, MAX_ALERTS);
});
