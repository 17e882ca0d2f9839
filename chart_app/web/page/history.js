// What happened before, by REST.
import { fromRow } from "./candles.js";

const PAGE = 1000;

export const coins = (signal) => get("exchangeInfo", {}, signal).then((info) => info.symbols);

export const days = (signal) => get("ticker/24hr", {}, signal);

export const trades = (coin, limit, signal) => get("trades", { symbol: coin, limit }, signal);

/** The newest page of candles; as many pages as it takes to reach back to a time. */
export async function candlesBackTo(time, coin, interval, signal) {
  let page = await candlesBefore(undefined, coin, interval, signal);
  const candles = page.candles;
  while (!page.isFirst && candles[0].time > time) {
    page = await candlesBefore(candles[0].time, coin, interval, signal);
    candles.unshift(...page.candles);
  }
  return { candles, isFirst: page.isFirst };
}

/** The page of candles before a time, and whether nothing is before that. */
export async function candlesBefore(time, coin, interval, signal) {
  const query = { symbol: coin, interval, limit: PAGE };
  if (time !== undefined) query.endTime = time - 1;
  const rows = await get("klines", query, signal);
  return { candles: rows.map(fromRow), isFirst: rows.length < PAGE };
}

async function get(path, query, signal) {
  const answer = await fetch(`/api/v3/${path}?${new URLSearchParams(query)}`, { signal });
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.msg ?? content.detail ?? `HTTP ${answer.status}`);
  return content;
}
