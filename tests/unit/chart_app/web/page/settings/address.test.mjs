import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatAddress,
  parseAddress,
} from "../../../../../../chart_app/web/page/settings/address.js";

test("an address gives back the selection it was made of", () => {
  for (const coin of ["BTC-USD", 'A/b @x "q" & 中文', null]) {
    const selection = { coin, interval: "15m" };
    assert.deepEqual(parseAddress(formatAddress(selection)), selection);
  }
});

test("without an interval, or with an unknown one, candles are of a minute", () => {
  assert.deepEqual(parseAddress(""), { coin: null, interval: "1m" });
  assert.deepEqual(parseAddress("?coin=BTC&interval=7m"), { coin: "BTC", interval: "1m" });
});

test("what is as it is without being named is not named", () => {
  assert.equal(formatAddress({ coin: "BTC", interval: "1m" }), "?coin=BTC");
  assert.equal(formatAddress({ coin: null, interval: "1h" }), "?interval=1h");
});
