import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatAddress,
  parseAddress,
} from "../../../../../../chart_app/web/page/settings/address.js";

test("an address gives back the selection it was made of", () => {
  for (const coin of ["BTC-USD", 'A/b @x "q" & 中文', null]) {
    const selection = {
      ...parseAddress(""),
      coin,
      interval: "15m",
      style: "area",
      scale: "log",
      zone: "+05:30",
      studies: "sma-20,bb-20-2.5,vwap",
    };
    assert.deepEqual(parseAddress(formatAddress(selection)), selection);
  }
});

test("without an interval, or with an unknown one, candles are of a minute", () => {
  const missing = parseAddress("");
  assert.equal(missing.coin, null);
  assert.equal(missing.interval, "1m");
  assert.deepEqual(
    parseAddress("?coin=BTC&interval=7m&style=toString&scale=&zone=Mars&studies=sma-0"),
    {
      ...missing,
      coin: "BTC",
    },
  );
});

test("what is as it is without being named is not named", () => {
  const missing = parseAddress("");
  assert.equal(formatAddress({ ...missing, coin: "BTC" }), "?coin=BTC");
  assert.equal(formatAddress({ ...missing, interval: "1h" }), "?interval=1h");
  assert.equal(formatAddress({ ...missing, studies: "sma-20,vwap" }), "?studies=sma-20,vwap");
});
