// The live streams of what is shown: what they bring, and when all is to be loaded anew.
import { Readiness } from "./readiness.js";
import { signInIfOver } from "./session.js";
import { StreamClient } from "./stream_client.js";
import { klineStream, MINI_TICKERS, tickerStream, tradeStream } from "./stream_names.js";
import { candleFromEvent, tradeFromEvent } from "./wire_format.js";

/** @import { Alerts } from "../alerts/alerts.js" */
/** @import { CoinList } from "../coins/coin_list.js" */
/** @import { Coins } from "../coins/coins.js" */
/** @import { ConnectionView } from "../connection_view.js" */
/** @import { Painter } from "../painter.js" */
/** @import { TradeTape } from "../trade_tape.js" */
/** @import { Line } from "./connection.js" */
/** @import { Loader } from "./loader.js" */
/** @import { Store } from "./store.js" */
/** @import { KlineEvent, TickerEvent, TradeEvent } from "./wire_format.js" */

const COINS_INTERVAL_MS = 60_000; // the last 24 hours move on, also without trades

/**
 * @typedef {object} LiveFeedParts
 * @property {Alerts} alerts
 * @property {Coins} coins
 * @property {CoinList} coinList
 * @property {ConnectionView} connectionView
 * @property {Loader} loader
 * @property {Painter} painter
 * @property {TradeTape} tradeTape
 */

export class LiveFeed {
  #store;
  #parts;
  /** Whether the coins are wanted yet: not before the one that is shown. */
  #isListWanted = false;
  #readiness = new Readiness((isReady) => {
    if (this.#store.connection.setReady(isReady)) this.#loadAll();
    this.#parts.connectionView.draw();
  });
  #streams = new StreamClient({
    onLine: (line) => this.#followLine(line),
    onOpen: () => this.#loadAll(),
    onEvent: (stream, data) => this.#receive(stream, data),
  });

  /**
   * @param {Store} store
   * @param {LiveFeedParts} parts
   */
  constructor(store, parts) {
    this.#store = store;
    this.#parts = parts;
  }

  start() {
    this.#streams.connect();
    setInterval(() => {
      if (this.#store.connection.isOpen) this.#parts.loader.loadCoins();
    }, COINS_INTERVAL_MS);
  }

  /** Load what is shown, once its streams are followed. */
  showNew() {
    this.#streams.follow(this.#streamNames(), () => this.#parts.loader.loadShown());
  }

  /** Follow the list of coins alone: nothing is shown. */
  showNone() {
    this.#parts.loader.abort();
    this.#followList();
  }

  #streamNames() {
    const { shown } = this.#store;
    const ofAll = this.#isListWanted ? [MINI_TICKERS] : [];
    if (!shown) return ofAll;
    const { coin, buckets } = shown;
    return [...ofAll, klineStream(coin, buckets), tradeStream(coin), tickerStream(coin)];
  }

  /** @param {() => void} [onFollowing] */
  #followList(onFollowing) {
    this.#isListWanted = true;
    this.#streams.follow(this.#streamNames(), onFollowing);
  }

  /** Load what is shown and then, so that they do not hold it up, the coins. */
  async #loadAll() {
    const { loader } = this.#parts;
    await loader.loadShown();
    this.#followList(() => loader.loadCoins()); // or a trade in between would be missed
  }

  /** @param {Line} line */
  #followLine(line) {
    const { connection } = this.#store;
    const { coins, connectionView, loader } = this.#parts;
    const wasOpen = connection.isOpen;
    connection.setLine(line);
    if (connection.isOpen && !wasOpen) this.#readiness.watch();
    if (!connection.isOpen) {
      this.#readiness.stop();
      signInIfOver();
      if (wasOpen) loader.abortAll();
      if (!coins.isLoaded) loader.loadCoins();
    }
    connectionView.draw();
  }

  /**
   * @param {string} stream
   * @param {unknown} data
   */
  #receive(stream, data) {
    const { shown } = this.#store;
    const { coins, painter, tradeTape } = this.#parts;
    if (stream === MINI_TICKERS) {
      this.#receiveTickers(/** @type {TickerEvent[]} */ (data));
    } else if (!shown) {
      return;
    } else if (stream === klineStream(shown.coin, shown.buckets)) {
      this.#receiveCandle(/** @type {KlineEvent} */ (data));
    } else if (stream === tradeStream(shown.coin)) {
      const trade = tradeFromEvent(/** @type {TradeEvent} */ (data));
      tradeTape.add([trade]);
      shown.lastTradeTime = Math.max(shown.lastTradeTime ?? -Infinity, trade.time);
    } else if (stream === tickerStream(shown.coin)) {
      coins.tick(/** @type {TickerEvent} */ (data));
    }
    painter.paint();
  }

  /** @param {KlineEvent} event */
  #receiveCandle(event) {
    const { alerts, loader, painter } = this.#parts;
    const { clock, shown } = this.#store;
    if (!shown) return;
    const candle = candleFromEvent(event);
    clock.set(event.E);
    const before = shown.candles.newest;
    painter.paintCandles(shown.candles.amend(candle));
    alerts.tick(shown.coin, before, shown.candles.newest);
    if (candle.revision <= this.#store.revision) return;
    this.#store.revision = candle.revision;
    loader.renew();
  }

  /** @param {TickerEvent[]} tickers */
  #receiveTickers(tickers) {
    const { alerts, coins, coinList, loader } = this.#parts;
    const unknown = tickers.filter((ticker) => !coins.tick(ticker));
    coinList.draw();
    if (coins.isLoaded) loader.loadNewCoins(unknown.map(({ s }) => s));
    alerts.check(tickers.map(({ s }) => s));
  }
}
