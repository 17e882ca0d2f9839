// The shapes in which the market-data API sends candles, trades and coins.

/** @import { Candle } from "./candles.js" */
/** @import { Trade } from "../trade_tape.js" */

/**
 * A row of /api/v3/klines; the rest of it is not used.
 * @typedef {[
 *   openTime: number, open: string, high: string, low: string, close: string, volume: string,
 *   closeTime: number, quoteVolume: string, trades: number, ...rest: string[],
 * ]} KlineRow
 */

/**
 * A kline event. E is when it was sent, in ms; the revision is the store's.
 * @typedef {{ E: number, k: Kline, revision: number }} KlineEvent
 */

/**
 * @typedef {object} Kline
 * @property {number} t open time in ms
 * @property {number} T close time in ms
 * @property {string} o
 * @property {string} h
 * @property {string} l
 * @property {string} c
 * @property {string} v
 * @property {string} q quote volume
 * @property {number} n count of trades
 */

/**
 * An element of /api/v3/trades.
 * @typedef {object} TradeRow
 * @property {number} id
 * @property {number} time in ms
 * @property {string} price
 * @property {string} qty
 */

/**
 * @typedef {object} TradeEvent
 * @property {number} t trade id
 * @property {number} T time in ms
 * @property {string} p
 * @property {string} q amount
 */

/**
 * An element of the `symbols` of /api/v3/exchangeInfo.
 * @typedef {object} SymbolInfo
 * @property {string} symbol
 * @property {({ filterType: string } & Record<string, string>)[]} filters
 */

/**
 * An element of /api/v3/ticker/24hr: the last 24 hours of a coin.
 * @typedef {object} DayTicker
 * @property {string} symbol
 * @property {string} lastPrice
 * @property {string} openPrice
 * @property {string} highPrice
 * @property {string} lowPrice
 * @property {string} volume
 * @property {string} quoteVolume
 * @property {number} count of trades
 */

/**
 * An element of a !miniTicker@arr event.
 * @typedef {object} MiniTicker
 * @property {string} s symbol
 * @property {string} c last price
 * @property {string} o open price
 * @property {string} h
 * @property {string} l
 * @property {string} v
 * @property {string} q quote volume
 */

/**
 * @param {KlineRow} row
 * @param {number} revision
 * @returns {Candle}
 */
export function candleFromRow(row, revision) {
  const [openTime, open, high, low, close, volume, closeTime, quoteVolume, trades] = row;
  return { openTime, closeTime, open, high, low, close, volume, quoteVolume, trades, revision };
}

/**
 * @param {KlineEvent} event
 * @returns {Candle}
 */
export function candleFromEvent({ k: { t, T, o, h, l, c, v, q, n }, revision }) {
  const prices = { open: o, high: h, low: l, close: c };
  return { openTime: t, closeTime: T, ...prices, volume: v, quoteVolume: q, trades: n, revision };
}

/**
 * @param {TradeRow} row
 * @returns {Trade}
 */
export function tradeFromRow({ id, time, price, qty }) {
  return { id, time, price, amount: qty };
}

/**
 * @param {TradeEvent} event
 * @returns {Trade}
 */
export function tradeFromEvent({ t, T, p, q }) {
  return { id: t, time: T, price: p, amount: q };
}
