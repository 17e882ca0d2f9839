// What is loaded from REST, and when it is loaded again.

import { HELD } from "../trade_tape.js";
import { retryDelayMs } from "./backoff.js";
import {
  fetchCandlesBackTo,
  fetchCandlesBefore,
  fetchDayTickers,
  fetchSymbols,
  fetchTrades,
} from "./rest_api.js";

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
  #aborter = new AbortController();
  #isLoadingOlder = false;
  #failures = 0;
  /** @type {number | undefined} */
  #renewTimer;
  #renewedAt = -Infinity;

  /**
   * @param {Store} store
   * @param {LoaderParts} parts
   */
  constructor(store, parts) {
    this.#store = store;
    this.#parts = parts;
  }

  /** Load the list of coins, with their last 24 hours. */
  async loadCoins() {
    const { coins, onCoins } = this.#parts;
    try {
      const [symbols, days] = await Promise.all([fetchSymbols(), fetchDayTickers()]);
      coins.update(symbols, days);
    } catch (error) {
      warn("The coins could not be loaded", error);
      this.#retry(() => this.loadCoins());
      return;
    }
    this.#failures = 0;
    this.#unlisted = new Set([...this.#unlisted].filter((name) => !coins.has(name)));
    if (this.#unlisted.size) {
      clearTimeout(this.#coinsTimer);
      this.#coinsTimer = setTimeout(
        () => this.#loadIfConnected(() => this.loadCoins()),
        COINS_AGAIN_MS,
      );
    }
    onCoins();
  }

  /**
   * Load the list of coins, until it has these.
   * @param {string[]} names
   */
  loadNewCoins(names) {
    for (const name of names) this.#unlisted.add(name);
    if (names.length) this.loadCoins();
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

  /** Load trades, and candles back to the oldest held, in place of all that is held. */
  async loadShown() {
    const { shown } = this.#store;
    if (!shown) return;
    const { notice, painter, tradeTape } = this.#parts;
    const signal = this.#restart();
    const { coin, buckets, candles } = shown;
    try {
      candles.renew();
      tradeTape.renew();
      const oldest = candles.oldest?.openTime ?? Infinity;
      const { revision } = this.#store;
      const [page, trades] = await Promise.all([
        fetchCandlesBackTo(oldest, coin, buckets, revision, signal),
        fetchTrades(coin, HELD, signal),
      ]);
      signal.throwIfAborted();
      this.#failures = 0;
      notice.hide();
      tradeTape.load(trades);
      painter.paintCandles(candles.extend(page.candles, page.isFirst));
    } catch (error) {
      if (signal.aborted) return;
      warn("The candles could not be loaded", error);
      if (!candles.newest) notice.show(this.#parts.say("candlesFailed"));
      this.#retry(() => signal.aborted || this.loadShown());
    }
  }

  /** Load the page of candles before the oldest held. */
  async loadOlder() {
    const { shown } = this.#store;
    if (!shown?.candles.oldest || this.#isLoadingOlder || shown.candles.isComplete) return;
    const { coin, buckets, candles } = shown;
    if (candles.isAwaited) return;
    const { signal } = this.#aborter;
    this.#isLoadingOlder = true;
    try {
      const { openTime } = shown.candles.oldest;
      const { revision } = this.#store;
      const page = await fetchCandlesBefore(openTime, coin, buckets, revision, signal);
      signal.throwIfAborted();
      this.#parts.painter.paintCandles(candles.extend(page.candles, page.isFirst));
    } catch (error) {
      if (signal.aborted) return;
      warn("Older candles could not be loaded", error);
      this.#retry(() => signal.aborted || this.loadOlder());
    } finally {
      this.#isLoadingOlder = false;
    }
  }

  /** Stop loading candles and trades. */
  abort() {
    this.#aborter.abort();
  }

  #restart() {
    this.abort();
    this.#aborter = new AbortController();
    return this.#aborter.signal;
  }

  /**
   * Load again later, unless the connection is lost: once it is back, all is loaded anew.
   * @param {() => unknown} load
   */
  #retry(load) {
    const delayMs = retryDelayMs(this.#failures++, Math.random());
    setTimeout(() => this.#loadIfConnected(load), delayMs);
  }

  /** @param {() => unknown} load */
  #loadIfConnected(load) {
    if (this.#store.isConnected) load();
  }
}

/**
 * @param {string} what
 * @param {unknown} error
 */
function warn(what, error) {
  console.warn(`${what}: ${error instanceof Error ? error.message : error}`);
}
