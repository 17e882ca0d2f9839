// Lists of candles to compute indicators of.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const SAMPLE = new URL(
  "../../../../../../../trading_app/sample/coinbase_btcusd_trades_2023-09-05.csv.gz",
  import.meta.url,
);
const MINUTE_MS = 60_000;

/**
 * Candles of real trades, of five seconds each, as if they were minutes: so they are of two days.
 */
export function realCandles() {
  const lines = gunzipSync(readFileSync(SAMPLE)).toString().trim().split(/\r?\n/).slice(1);
  const trades = lines.map((line) => line.replaceAll('"', "").split(","));
  const groups = Map.groupBy(trades, ([, , , , time]) => Math.floor(Date.parse(time) / 5000));
  const start = Date.UTC(2023, 8, 5, 20);
  return [...groups.values()].map((group, index) => {
    const prices = group.map(([, , price]) => Number(price));
    const volume = group.reduce((sum, [, , , amount]) => sum + Number(amount), 0);
    return {
      openTime: start + index * MINUTE_MS,
      open: String(prices[0]),
      high: String(Math.max(...prices)),
      low: String(Math.min(...prices)),
      close: String(prices.at(-1)),
      volume: String(volume),
    };
  });
}

/**
 * Candles of a minute that never leave their closing prices, with volumes 1, 2, 3 …
 * @param {number[]} closes
 */
export function candlesOf(closes) {
  return closes.map((price, index) => {
    const text = String(price);
    const prices = { open: text, high: text, low: text, close: text };
    return { openTime: index * MINUTE_MS, ...prices, volume: String(index + 1) };
  });
}

/**
 * A random walk, the same for a seed.
 * @param {number} count
 * @param {number} start
 * @param {number} seed
 */
export function walk(count, start, seed) {
  const random = randoms(seed);
  let price = start;
  return Array.from({ length: count }, () => {
    price *= 1 + (random() - 0.5) / 100;
    return price;
  });
}

/**
 * A function that gives numbers from 0 to 1, the same for a seed (mulberry32).
 * @param {number} seed
 */
export function randoms(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
