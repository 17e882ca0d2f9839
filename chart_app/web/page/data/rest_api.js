// The requests to the market-data API.
import { signIn } from "./session.js";
import { candleFromRow, tradeFromRow } from "./wire_format.js";

/** @import { Candle } from "./candles.js" */
/** @import { Buckets } from "../settings/buckets.js" */
/** @import { Trade } from "../trade_tape.js" */
/** @import { DayTicker, KlineRow, SymbolInfo, TradeRow } from "./wire_format.js" */

/**
 * Candles, oldest first, and whether there are none before them.
 * @typedef {{ candles: Candle[], isFirst: boolean }} CandlePage
 */

const PAGE_SIZE = 1000;

/** @returns {Promise<SymbolInfo[]>} */
export async function fetchSymbols() {
  return (await get("exchangeInfo", {})).symbols;
}

/** @returns {Promise<DayTicker[]>} */
export async function fetchDayTickers() {
  return await get("ticker/24hr", {});
}

/**
 * The newest trades of a coin.
 * @param {string} coin
 * @param {number} limit
 * @param {AbortSignal} signal
 * @returns {Promise<Trade[]>}
 */
export async function fetchTrades(coin, limit, signal) {
  /** @type {TradeRow[]} */
  const rows = await get("trades", { symbol: coin, limit: String(limit) }, signal);
  return rows.map(tradeFromRow);
}

/**
 * The newest page of candles, and as many pages before it as it takes to reach back to a time.
 * @param {number} time in ms; Infinity for the newest page alone
 * @param {string} coin
 * @param {Buckets} buckets
 * @param {number} revision that the store has by now
 * @param {AbortSignal} signal
 * @returns {Promise<CandlePage>}
 */
export async function fetchCandlesBackTo(time, coin, buckets, revision, signal) {
  let page = await fetchCandlesBefore(undefined, coin, buckets, revision, signal);
  const candles = page.candles;
  while (!page.isFirst && candles[0] && candles[0].openTime > time) {
    page = await fetchCandlesBefore(candles[0].openTime, coin, buckets, revision, signal);
    candles.unshift(...page.candles);
  }
  return { candles, isFirst: page.isFirst };
}

/**
 * The page of candles that open before a time.
 * @param {number | undefined} time in ms; undefined for the newest page
 * @param {string} coin
 * @param {Buckets} buckets
 * @param {number} revision that the store has by now
 * @param {AbortSignal} signal
 * @returns {Promise<CandlePage>}
 */
export async function fetchCandlesBefore(time, coin, buckets, revision, signal) {
  const { interval, timeZone } = buckets;
  /** @type {Record<string, string>} */
  const query = { symbol: coin, interval, timeZone, limit: String(PAGE_SIZE) };
  if (time !== undefined) query.endTime = String(time - 1);
  /** @type {KlineRow[]} */
  const rows = await get("klines", query, signal);
  const candles = rows.map((row) => candleFromRow(row, revision));
  return { candles, isFirst: rows.length < PAGE_SIZE };
}

/**
 * @param {string} path
 * @param {Record<string, string>} query
 * @param {AbortSignal} [signal]
 */
async function get(path, query, signal) {
  const response = await fetch(`/api/v3/${path}?${new URLSearchParams(query)}`, { signal });
  if (response.status === 401) signIn();
  const content = await response.json();
  if (!response.ok) throw new Error(content.msg ?? content.detail ?? `HTTP ${response.status}`);
  return content;
}
