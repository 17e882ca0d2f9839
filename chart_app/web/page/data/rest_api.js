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
/** Fills a wide screen, and comes soon on a slow line. */
const FIRST_PAGE_SIZE = 300;
const UNKNOWN_SYMBOL = -1121;

/** The server refused a request. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} [code] the API's
   */
  constructor(message, code) {
    super(message);
    this.isUnknownCoin = code === UNKNOWN_SYMBOL;
  }
}

/**
 * The last 24 hours of all coins.
 * @param {AbortSignal} signal
 * @returns {Promise<DayTicker[]>}
 */
export async function fetchDayTickers(signal) {
  return await get("ticker/24hr", { type: "MINI" }, signal);
}

/**
 * The last 24 hours of a coin, which gives its name as it is spelled.
 * @param {string} coin
 * @param {AbortSignal} signal
 * @returns {Promise<DayTicker>}
 */
export async function fetchDayTicker(coin, signal) {
  return await get("ticker/24hr", { symbol: coin, type: "MINI" }, signal);
}

/**
 * A coin's assets, and the server's time (ms).
 * @param {string} coin
 * @param {AbortSignal} signal
 * @returns {Promise<{ serverTime: number, symbols: [SymbolInfo] }>}
 */
export async function fetchExchangeInfo(coin, signal) {
  return await get("exchangeInfo", { symbol: coin }, signal);
}

/**
 * When a coin was traded last (ms): its trades need not be stored, so they do not tell.
 * @param {string} coin
 * @param {AbortSignal} signal
 * @returns {Promise<number>}
 */
export async function fetchLastTradeTime(coin, signal) {
  return (await get("avgPrice", { symbol: coin }, signal)).closeTime;
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
 * The newest candles, and as many pages before them as it takes to reach back to those held.
 * @param {{ openTime: number }[]} held
 * @param {string} coin
 * @param {Buckets} buckets
 * @param {number} revision that the store has by now
 * @param {AbortSignal} signal
 * @returns {Promise<CandlePage>}
 */
export async function fetchCandlesLike(held, coin, buckets, revision, signal) {
  const time = held[0]?.openTime ?? Infinity;
  const wanted = Math.max(FIRST_PAGE_SIZE, held.length + 1); // one may have begun since
  const limit = String(Math.min(wanted, PAGE_SIZE));
  let page = await fetchCandles({ limit }, coin, buckets, revision, signal);
  const candles = page.candles;
  while (!page.isFirst && candles[0] && candles[0].openTime > time) {
    page = await fetchCandlesBefore(candles[0].openTime, coin, buckets, revision, signal);
    candles.unshift(...page.candles);
  }
  return { candles, isFirst: page.isFirst };
}

/**
 * The page of candles that open before a time.
 * @param {number} time in ms
 * @param {string} coin
 * @param {Buckets} buckets
 * @param {number} revision that the store has by now
 * @param {AbortSignal} signal
 * @returns {Promise<CandlePage>}
 */
export async function fetchCandlesBefore(time, coin, buckets, revision, signal) {
  const range = { limit: String(PAGE_SIZE), endTime: String(time - 1) };
  return await fetchCandles(range, coin, buckets, revision, signal);
}

/**
 * @param {{ limit: string, endTime?: string }} range
 * @param {string} coin
 * @param {Buckets} buckets
 * @param {number} revision
 * @param {AbortSignal} signal
 * @returns {Promise<CandlePage>}
 */
async function fetchCandles(range, coin, { interval, timeZone }, revision, signal) {
  /** @type {KlineRow[]} */
  const rows = await get("klines", { symbol: coin, interval, timeZone, ...range }, signal);
  const candles = rows.map((row) => candleFromRow(row, revision));
  return { candles, isFirst: rows.length < Number(range.limit) };
}

/**
 * @param {string} path
 * @param {Record<string, string>} query
 * @param {AbortSignal} signal
 */
async function get(path, query, signal) {
  const response = await fetch(`/api/v3/${path}?${new URLSearchParams(query)}`, { signal });
  if (response.status === 401) signIn();
  if (response.ok) return await response.json();
  const { msg, code } = await response.json().catch(() => ({}));
  throw new ApiError(msg ?? `HTTP ${response.status}`, code);
}
