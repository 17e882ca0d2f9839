import assert from "node:assert/strict";
import { test } from "node:test";
import {
  DEFAULT_ORDER,
  keepOrder,
  parseOrder,
  sortCoins,
  turnOrder,
} from "../../../../../../chart_app/web/page/coins/coin_order.js";

const scales = { price: 0, amount: 0 };

/** As the API has them, by name. */
const coins = [
  { name: "A", scales, day: { lastPrice: "9", openPrice: "10", quoteVolume: "76.5" } },
  { name: "B", scales, day: { lastPrice: "150", openPrice: "100", quoteVolume: "250" } },
  { name: "C", scales, day: { lastPrice: "0.01", openPrice: "0.01", quoteVolume: "1E+12" } },
  { name: "D", scales, day: { lastPrice: "9.0", openPrice: "9", quoteVolume: "0" } },
];

const sorted = (column, isDescending) =>
  sortCoins(coins, { column, isDescending })
    .map(({ name }) => name)
    .join("");

test("coins are sorted by the numbers of a column, equal ones by name", () => {
  assert.equal(sorted("coin", false), "ABCD");
  assert.equal(sorted("coin", true), "DCBA");
  assert.equal(sorted("price", false), "CADB");
  assert.equal(sorted("price", true), "BADC");
  assert.equal(sorted("change", false), "ACDB");
  assert.equal(sorted("change", true), "BCDA");
  assert.equal(sorted("turnover", false), "DABC");
  assert.equal(sorted("turnover", true), "CBAD");
});

test("a click sorts by the column, figures from the largest, another click turns it round", () => {
  const byPrice = turnOrder(DEFAULT_ORDER, "price");
  assert.deepEqual(byPrice, { column: "price", isDescending: true });
  assert.deepEqual(turnOrder(byPrice, "price"), { column: "price", isDescending: false });
  assert.deepEqual(turnOrder(byPrice, "coin"), { column: "coin", isDescending: false });
  assert.equal(turnOrder(byPrice, undefined), byPrice);
});

test("an order that is none is the default one", () => {
  const kept = { column: "turnover", isDescending: false };
  assert.deepEqual(parseOrder(kept), kept);
  const nothing = { column: "toString", isDescending: true };
  const half = { column: "price" };
  for (const none of [undefined, null, 7, "price", [], nothing, half]) {
    assert.equal(parseOrder(none), DEFAULT_ORDER);
  }
});

test("names keep their order, those that are gone leave, new ones come last", () => {
  const isThere = (name) => name !== "B";
  assert.deepEqual(keepOrder(["C", "B", "A"], ["A", "C", "D"], isThere), ["C", "A", "D"]);
});
