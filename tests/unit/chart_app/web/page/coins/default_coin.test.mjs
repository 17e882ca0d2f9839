import assert from "node:assert/strict";
import { test } from "node:test";
import { busiestOf } from "../../../../../../chart_app/web/page/coins/default_coin.js";

const DAY_MS = 24 * 60 * 60_000;
const coin = (name, closeTime, count) => ({ name, day: { closeTime, count } });

test("the busiest of those that are traded, else of those that were traded last", () => {
  const now = 500 * DAY_MS;
  const dead = coin("DEAD", now - 365 * DAY_MS, 90_000);
  const quiet = coin("QUIET", now - 2 * DAY_MS, 2);
  const traded = [coin("BTC", now - 900, 20), coin("ETH", now, 5)];
  assert.equal(busiestOf([dead, quiet, ...traded])?.name, "BTC");
  assert.equal(busiestOf([dead, quiet])?.name, "QUIET");
  assert.equal(busiestOf([]), undefined);
});
