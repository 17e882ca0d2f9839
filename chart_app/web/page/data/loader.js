// What is loaded from REST, and when it is loaded again.

import { HELD } from "../trade_tape.js";
import {
  ApiError,
  fetchCandlesBefore,
  fetchCandlesLike,
  fetchDayTicker,
  fetchDayTickers,
  fetchExchangeInfo,
  fetchLastTradeTime,
  fetchTrades,
} from "./rest_api.js";
import { Task } from "./task.js";

/** @import { Coins } from "../coins/coins.js" */
/** @import { Notice } from "../notice.js" */
/** @import { Painter } from "../painter.js" */
/** @import { Store } from "./store.js" */
/** @import { Say } from "../text/texts.js" */
/** @import { TradeTape } from "../trade_tape.js" */

const COINS_AGAIN_MS = 500; // the responses may be a moment old
const RENEW_INTERVAL_MS = 1_000; // where one void follows the other

/**
 * @typedef {object} LoaderParts
 * @property {Coins} coins
 * @property {Notice} notice
 * @property {Painter} painter
 * @property {TradeTape} tradeTape
 * @property {Say} say
 * @property {() => void} onCoins is called when the coins are loaded
 * @property {() => void} onUnknown is called where the coin shown has no trades
 * @property {(isWithStreams: boolean) => void} onLoaded is called when what is to be shown is
 *   loaded, and whether that was asked for while the streams were followed
 */

export class Loader {
  #store;
  #parts;
  /**
   * Coins that the stream has named and the list does not have yet.
   * @type {Set<string>}
   */
  #unlisted = new Set();
  /** @type {number | undefined} */
  #coinsTimer;
  /** @type {number | undefined} */
  #renewTimer;
  #renewedAt = -Infinity;
  #coins;
  #shown;
  #older;

  /**
   * @param {Store} store
   * @param {LoaderParts} parts
   */
  constructor(store, parts) {
    this.#store = store;
    this.#parts = parts;
    const mayRetry = () => store.connection.isOpen; // once it is back, all is loaded anew
    this.#coins = new Task((signal) => this.#loadCoins(signal), {
      onFailure: (error) => this.#failCoins(error),
      mayRetry,
    });
    this.#shown = new Task((signal) => this.#loadShown(signal), {
      onFailure: (error) => this.#failShown(error),
      mayRetry,
    });
    this.#older = new Task((signal) => this.#loadOlder(signal), {
      onFailure: (error) => warn("Older candles could not be loaded", error),
      mayRetry,
    });
  }

  /** Load the list of coins, with their last 24 hours. */
  loadCoins() {
    return this.#coins.run();
  }

  /**
   * Load the list of coins, until it has these.
   * @param {string[]} names
   */
  loadNewCoins(names) {
    for (const name of names) this.#unlisted.add(name);
    if (names.length) this.loadCoins();
  }

  /** Load trades, and candles back to the oldest held, in place of all that is held. */
  loadShown() {
    return this.#shown.run();
  }

  /** Load the page of candles before the oldest held. */
  loadOlder() {
    if (!this.#older.isRunning) this.#older.run();
  }

  /** Load all anew, since trades are void or no longer void: at once, but not too often. */
  renew() {
    if (this.#renewTimer !== undefined) return;
    const delayMs = Math.max(0, this.#renewedAt + RENEW_INTERVAL_MS - performance.now());
    this.#renewTimer = setTimeout(() => {
      this.#renewTimer = undefined;
      this.#renewedAt = performance.now();
      this.loadCoins();
      this.loadShown();
    }, delayMs);
  }

  /** Give up loading candles and trades. */
  abort() {
    this.#shown.abort();
    this.#older.abort();
  }

  /** Give up loading: on a line that is dead it may take minutes to fail. */
  abortAll() {
    this.abort();
    this.#coins.abort();
  }

  /** @param {AbortSignal} signal */
  async #loadCoins(signal) {
    const { coins, onCoins } = this.#parts;
    const isWithStreams = this.#store.connection.isOpen;
    coins.update(await fetchDayTickers(signal));
    this.#unlisted = new Set([...this.#unlisted].filter((name) => !coins.has(name)));
    clearTimeout(this.#coinsTimer);
    if (this.#unlisted.size) {
      this.#coinsTimer = setTimeout(() => this.loadCoins(), COINS_AGAIN_MS);
    }
    onCoins();
    if (!this.#store.shown) this.#parts.onLoaded(isWithStreams);
  }

  /** @param {AbortSignal} signal */
  async #loadShown(signal) {
    const { shown, revision, clock } = this.#store;
    if (!shown) return;
    const { coins, notice, painter, tradeTape } = this.#parts;
    const { coin, buckets, candles } = shown;
    const isWithStreams = this.#store.connection.isOpen;
    candles.renew();
    tradeTape.renew();
    const [page, day, trades, info, lastTradeTime] = await Promise.all([
      fetchCandlesLike(candles.list, coin, buckets, revision, signal),
      fetchDayTicker(coin, signal),
      fetchTrades(coin, HELD, signal),
      fetchExchangeInfo(coin, signal),
      fetchLastTradeTime(coin, signal),
    ]);
    signal.throwIfAborted();
    const [{ baseAsset, quoteAsset }] = info.symbols;
    clock.set(info.serverTime);
    shown.assets = { base: baseAsset, quote: quoteAsset };
    coins.put(day);
    tradeTape.load(trades);
    shown.lastTradeTime = Math.max(lastTradeTime, tradeTape.latestTime);
    notice.hide();
    painter.paintCandles(candles.extend(page.candles, page.isFirst));
    this.#parts.onLoaded(isWithStreams);
  }

  /** @param {AbortSignal} signal */
  async #loadOlder(signal) {
    const { shown, revision } = this.#store;
    if (!shown?.candles.oldest || shown.candles.isComplete || shown.candles.isAwaited) return;
    const { coin, buckets, candles } = shown;
    const { openTime } = shown.candles.oldest;
    const page = await fetchCandlesBefore(openTime, coin, buckets, revision, signal);
    const isStillOldest = !candles.isAwaited && candles.oldest?.openTime === openTime;
    if (signal.aborted || !isStillOldest) return;
    this.#parts.painter.paintCandles(candles.extend(page.candles, page.isFirst));
  }

  /** @param {unknown} error */
  #failCoins(error) {
    warn("The coins could not be loaded", error);
    if (!this.#store.shown) this.#showFailure("coinsFailed", error);
    return true;
  }

  /** @param {unknown} error */
  #failShown(error) {
    if (error instanceof ApiError && error.isUnknownCoin) {
      this.#parts.onUnknown();
      return false;
    }
    warn("The candles could not be loaded", error);
    if (!this.#store.shown?.candles.newest) this.#showFailure("candlesFailed", error);
    return true;
  }

  /**
   * Say in the chart's place what could not be loaded, and why.
   * @param {"coinsFailed" | "candlesFailed"} name
   * @param {unknown} error
   */
  #showFailure(name, error) {
    const { notice, say } = this.#parts;
    notice.show(say(name, { reason: error instanceof ApiError ? error.message : say("stale") }));
  }
}

/**
 * @param {string} what
 * @param {unknown} error
 */
function warn(what, error) {
  console.warn(`${what}: ${error instanceof Error ? error.message : error}`);
  return true;
}
