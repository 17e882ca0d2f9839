import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClock } from "../../../../../../chart_app/web/page/data/server_clock.js";
import { Store } from "../../../../../../chart_app/web/page/data/store.js";

const DAY_MS = 24 * 60 * 60_000;

test("what was traded last more than a day ago says of when it is, by the server's clock", () => {
  const store = new Store({});
  let localNow = 5 * DAY_MS;
  store.clock = new ServerClock(() => localNow);
  store.clock.set(100 * DAY_MS);
  localNow += 1;
  assert.equal(store.asOf, null);
  store.show("BTC", {}, {});
  assert.equal(store.asOf, null);
  store.shown.lastTradeTime = 99 * DAY_MS;
  assert.equal(store.asOf, 99 * DAY_MS);
  store.shown.lastTradeTime += 1;
  assert.equal(store.asOf, null);
});

test("what is known of a coin is kept when its interval changes, not when the coin does", () => {
  const store = new Store({});
  store.show("BTC", {}, {});
  const assets = { base: "BTC", quote: "USD" };
  Object.assign(store.shown, { assets, lastTradeTime: 1 });
  assert.equal(store.show("BTC", {}, {}).assets, assets);
  assert.equal(store.shown.lastTradeTime, 1);
  assert.equal(store.show("ETH", {}, {}).assets, null);
  assert.equal(store.shown.lastTradeTime, null);
});
