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
 * An element of the `symbols` of /api/v3/exchangeInfo; the rest of it is not used.
 * @typedef {object} SymbolInfo
 * @property {string} baseAsset
 * @property {string} quoteAsset
 */

/**
 * An element of /api/v3/ticker/24hr with type=MINI: the last 24 hours of a coin, or those up to
 * its last trade if it had none since. Decimals have the places of the coin.
 * @typedef {object} DayTicker
 * @property {string} symbol
 * @property {string} lastPrice
 * @property {string} openPrice
 * @property {string} highPrice
 * @property {string} lowPrice
 * @property {string} volume
 * @property {string} quoteVolume
 * @property {number} closeTime in ms
 * @property {number} count of trades
 */

/**
 * A ticker event, or an element of a !miniTicker@arr event, which has no `n`.
 * @typedef {object} TickerEvent
 * @property {number} E time in ms
 * @property {string} s symbol
 * @property {string} c last price
 * @property {string} o open price
 * @property {string} h
 * @property {string} l
 * @property {string} v
 * @property {string} q quote volume
 * @property {number} [n] count of trades
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

/**
 * What the event tells of the last 24 hours.
 * @param {TickerEvent} event
 * @returns {Partial<DayTicker> & { closeTime: number }}
 */
export function dayFromEvent({ E, c, o, h, l, v, q, n }) {
  const prices = { lastPrice: c, openPrice: o, highPrice: h, lowPrice: l };
  const day = { ...prices, volume: v, quoteVolume: q, closeTime: E };
  return n === undefined ? day : { ...day, count: n };
}
