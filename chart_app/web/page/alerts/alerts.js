// Price alerts: each fires once, when the last price of its coin reaches it.
import { openBelow } from "../popover.js";
import { alertAt } from "./alert.js";
import { AlertBook } from "./alert_book.js";
import { AlertLines } from "./alert_lines.js";
import { AlertNotices } from "./alert_notices.js";
import { AlertPanel } from "./alert_panel.js";
import { pricesSince } from "./candle_prices.js";
import { KEPT_ALERTS, MAX_ALERTS } from "./kept_alerts.js";

/** @import { Chart } from "../chart/chart.js" */
/** @import { Candle } from "../data/candles.js" */
/** @import { Coins } from "../coins/coins.js" */
/** @import { Kept } from "../settings/kept.js" */
/** @import { Formats } from "../text/formats.js" */
/** @import { Say } from "../text/texts.js" */
/** @import { Alert } from "./alert.js" */
/** @import { AlertElements } from "./alert_elements.js" */

/**
 * @typedef {object} AlertParts
 * @property {Chart} chart
 * @property {Coins} coins
 * @property {Kept} kept
 * @property {Say} say
 * @property {Formats} formats
 */

/**
 * @typedef {object} AlertHandlers
 * @property {(coin: string) => string | undefined} lastPrice
 * @property {(coin: string) => void} onOpen the reader has chosen a notification
 */

export class Alerts {
  #coins;
  #say;
  #formats;
  #lastPrice;
  #onOpen;
  #book;
  #lines;
  #notices;
  #panel;
  /** @type {string | null} */
  #coin = null;

  /**
   * @param {AlertElements} elements
   * @param {AlertParts} parts
   * @param {AlertHandlers} handlers
   */
  constructor(elements, { chart, coins, kept, say, formats }, { lastPrice, onOpen }) {
    this.#coins = coins;
    this.#say = say;
    this.#formats = formats;
    this.#lastPrice = lastPrice;
    this.#onOpen = onOpen;
    this.#book = new AlertBook(kept);
    this.#lines = new AlertLines(chart, elements.chart, say("alert"));
    this.#notices = new AlertNotices(elements.notices, say("dismiss"));
    this.#panel = new AlertPanel(elements, say, {
      onOpen: () => this.#start(),
      onAdd: (price) => this.#add(price),
      onRemove: (alert) => this.#change(() => this.#book.remove(alert)),
    });
    openBelow(elements.panel, elements.button);
    chart.onClick((y) => {
      if (this.#lines.isAt(y)) this.#panel.open();
    });
    addEventListener("storage", ({ key }) => {
      if (key === KEPT_ALERTS) this.#change(() => this.#book.reload());
    });
  }

  /** @param {string | null} coin the one on the chart */
  show(coin) {
    this.#coin = coin;
    this.#draw();
  }

  /** @param {string[]} coins whose last price may be another */
  check(coins) {
    for (const coin of coins) {
      const lastPrice = this.#lastPrice(coin);
      if (lastPrice !== undefined) this.#fire(coin, lastPrice);
    }
  }

  /**
   * @param {string} coin
   * @param {Candle | undefined} before its newest candle as it was
   * @param {Candle | undefined} now its newest candle
   */
  tick(coin, before, now) {
    if (!now || now === before) return;
    for (const price of pricesSince(before, now)) this.#fire(coin, price);
  }

  /**
   * Fire what a last price reaches.
   * @param {string} coin
   * @param {string} lastPrice
   */
  #fire(coin, lastPrice) {
    const reached = this.#book.takeReached(coin, lastPrice);
    for (const { price } of reached) {
      const title = this.#nameOf(coin, lastPrice);
      const text = this.#say("alertReached", { price: this.#format(coin, price) });
      this.#notices.show({ title, text }, () => this.#onOpen(coin));
    }
    if (reached.length) this.#draw();
  }

  #start() {
    const coin = this.#coin === null ? undefined : this.#coins.get(this.#coin);
    const price = coin && this.#lastPrice(coin.name);
    return coin && price !== undefined
      ? { coin: coin.name, price, scale: coin.scales.price }
      : null;
  }

  /** @param {string} price */
  #add(price) {
    const coin = this.#coin;
    const lastPrice = coin === null ? undefined : this.#lastPrice(coin);
    const alert = coin !== null && lastPrice !== undefined && alertAt(coin, price, lastPrice);
    if (!alert) return this.#say("alertIsThere");
    if (!this.#book.add(alert)) return this.#say("alertsFull", { count: String(MAX_ALERTS) });
    this.#draw();
    this.#notices.ask();
    return undefined;
  }

  /** @param {() => void} action */
  #change(action) {
    action();
    this.#draw();
  }

  #draw() {
    const isHere = (/** @type {Alert} */ { coin }) => coin === this.#coin;
    const here = this.#book.list.filter(isHere);
    const elsewhere = this.#book.list.filter((alert) => !isHere(alert));
    this.#lines.show(here);
    this.#panel.draw(
      [...here, ...elsewhere].map((alert) => ({
        alert,
        text: this.#nameOf(alert.coin, alert.price),
      })),
    );
  }

  /**
   * @param {string} coin
   * @param {string} price
   */
  #nameOf(coin, price) {
    return `${coin} ${this.#format(coin, price)}`;
  }

  /**
   * @param {string} coin
   * @param {string} price
   */
  #format(coin, price) {
    return this.#formats.decimal(price, this.#coins.get(coin)?.scales.price ?? 0);
  }
}
