import assert from "node:assert/strict";
import { test } from "node:test";
import { Candles } from "../../../../../../chart_app/web/page/data/candles.js";
import {
  candleFromEvent,
  candleFromRow,
} from "../../../../../../chart_app/web/page/data/wire_format.js";

const candle = (openTime, trades = 1, revision = 0) => ({ openTime, trades, revision });
const openTimes = (candles) => candles.list.map(({ openTime }) => openTime);

test("a row and an event of one candle are the same", () => {
  const row = [60000, "1", "4", "0.5", "2", "7.5", 119999, "15", 3, "0", "0", "0"];
  const k = { t: 60000, T: 119999, o: "1", h: "4", l: "0.5", c: "2", v: "7.5", q: "15", n: 3 };
  assert.deepEqual(candleFromRow(row, 5), candleFromEvent({ k, revision: 5 }));
});

test("loaded and streamed candles come in any order, without gaps or duplicates", () => {
  for (const early of [0, 1, 2, 3]) {
    const candles = new Candles();
    const events = [candle(20, 2), candle(30, 1), candle(30, 2)];
    for (const event of events.slice(0, early)) candles.amend(event);
    candles.extend([candle(10), candle(20), candle(30)], false);
    for (const event of events.slice(early)) candles.amend(event);
    assert.deepEqual(candles.list, [candle(10), candle(20, 2), candle(30, 2)]);
  }
});

test("the older state of a candle changes nothing", () => {
  const candles = new Candles();
  candles.extend([candle(10, 5), candle(20, 5)], false);
  assert.equal(candles.amend(candle(10, 4)), 2);
  assert.equal(candles.extend([candle(10, 5), candle(20, 3)], false), 2);
  assert.deepEqual(candles.list, [candle(10, 5), candle(20, 5)]);
});

test("it returns the index of the first candle that changed", () => {
  const candles = new Candles();
  assert.equal(candles.extend([candle(10), candle(20), candle(40)], true), 0);
  assert.equal(candles.amend(candle(40, 2)), 2);
  assert.equal(candles.amend(candle(50)), 3);
  assert.equal(candles.amend(candle(20, 2)), 1);
  assert.equal(candles.amend(candle(30)), 2);
  assert.deepEqual(openTimes(candles), [10, 20, 30, 40, 50]);
});

test("a candle before the list waits for older ones to be loaded, unless there are none", () => {
  const candles = new Candles();
  candles.amend(candle(10, 2));
  candles.extend([candle(40), candle(50)], false);
  assert.deepEqual(openTimes(candles), [40, 50]);
  assert.equal(candles.amend(candle(10, 2)), 2);

  candles.extend([candle(10, 2), candle(20)], true);
  candles.amend(candle(5));
  assert.deepEqual(openTimes(candles), [5, 10, 20, 40, 50]);
});

test("a coin without candles begins with its first event", () => {
  const candles = new Candles();
  candles.extend([], true);
  candles.amend(candle(10));
  assert.deepEqual(openTimes(candles), [10]);
});

test("of two states that of the higher revision is the newer", () => {
  const candles = new Candles();
  candles.extend([candle(10, 5), candle(20, 5)], true);
  assert.equal(candles.amend(candle(10, 3, 1)), 0);
  assert.equal(candles.amend(candle(10, 6)), 2);
  assert.equal(candles.amend(candle(10, 3, 1)), 2);
  assert.deepEqual(candles.list, [candle(10, 3, 1), candle(20, 5)]);
});

test("a candle without trades left leaves the list, and comes again with its next trade", () => {
  const candles = new Candles();
  candles.extend([candle(10, 5), candle(20, 5), candle(30, 5)], true);
  assert.equal(candles.amend(candle(20, 0, 1)), 0);
  assert.deepEqual(openTimes(candles), [10, 30]);
  assert.equal(candles.amend(candle(20, 0, 1)), 2);
  assert.equal(candles.amend(candle(20, 1, 1)), 1);
  assert.deepEqual(openTimes(candles), [10, 20, 30]);
});

test("what is loaded after voids takes the place of the list, with what came meanwhile", () => {
  const candles = new Candles();
  candles.extend([candle(10, 5), candle(20, 5), candle(30, 5)], true);
  candles.renew();
  candles.amend(candle(30, 4, 1));
  candles.amend(candle(40, 1, 1));
  assert.deepEqual(openTimes(candles), [10, 20, 30, 40]);
  assert.equal(candles.extend([candle(10, 2, 1), candle(30, 3, 1)], true), 0);
  assert.deepEqual(candles.list, [candle(10, 2, 1), candle(30, 4, 1), candle(40, 1, 1)]);
  candles.renew();
  assert.equal(candles.extend([], true), 0);
  assert.deepEqual(candles.list, []);
});
