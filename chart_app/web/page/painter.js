// Draws what the store shows, with the next frame, at most every PAINT_INTERVAL_MS.

/** @import { CandleTable } from "./chart/candle_table.js" */
/** @import { Chart } from "./chart/chart.js" */
/** @import { Indicators } from "./chart/indicators/indicators.js" */
/** @import { Coin, Coins } from "./coins/coins.js" */
/** @import { ConnectionView } from "./connection_view.js" */
/** @import { Quote } from "./quote.js" */
/** @import { Shown, Store } from "./data/store.js" */
/** @import { TradeTape } from "./trade_tape.js" */

/**
 * @typedef {object} Views
 * @property {CandleTable} candleTable
 * @property {Chart} chart
 * @property {Coins} coins
 * @property {ConnectionView} connectionView
 * @property {Indicators} indicators
 * @property {Quote} quote
 * @property {TradeTape} tradeTape
 */

const PAINT_INTERVAL_MS = 100;

export class Painter {
  #store;
  #views;
  #isPainting = false;
  #isPaintDue = false;

  /**
   * @param {Store} store
   * @param {Views} views
   */
  constructor(store, views) {
    this.#store = store;
    this.#views = views;
  }

  /**
   * Paint again the candles from an index on.
   * @param {number} from
   */
  paintCandles(from) {
    this.#store.undrawnFrom = Math.min(this.#store.undrawnFrom, from);
    this.paint();
  }

  paint() {
    this.#isPaintDue = this.#isPainting;
    if (this.#isPainting) return;
    this.#isPainting = true;
    requestAnimationFrame(() => {
      setTimeout(() => {
        this.#isPainting = false;
        if (this.#isPaintDue) this.paint();
      }, PAINT_INTERVAL_MS);
      this.#draw(); // last: an error in one frame does not keep the next from being painted
    });
  }

  /** Show the candle under the cursor, else the newest. */
  drawLegend() {
    const { shown, hoveredTime } = this.#store;
    const coin = shown && this.#views.coins.find(shown.coin);
    if (!coin) return;
    const { list } = shown.candles;
    const hovered = list.findIndex(({ openTime }) => openTime === hoveredTime);
    const index = hovered < 0 ? list.length - 1 : hovered;
    const candle = list[index];
    if (candle) this.#views.quote.drawLegend(candle, shown.buckets, coin.scales);
    this.#views.indicators.drawLegend(index);
  }

  #draw() {
    const { shown } = this.#store;
    const coin = shown && this.#views.coins.find(shown.coin);
    if (!coin) return;
    const { chart, connectionView, indicators, quote, tradeTape } = this.#views;
    quote.drawDay(coin, shown.candles.newest, shown.assets);
    quote.drawAsOf(this.#store.asOf, shown.zone);
    connectionView.draw();
    tradeTape.draw(coin.scales, this.#store.clock.now(), shown.zone);
    chart.setScale(coin.scales.price);
    indicators.setScale(coin.scales.price);
    this.#drawCandles(shown, coin);
  }

  /**
   * @param {Shown} shown
   * @param {Coin} coin
   */
  #drawCandles({ buckets, candles }, coin) {
    const { list, newest } = candles;
    const { candleTable, chart, indicators, quote } = this.#views;
    const { isTable, undrawnFrom } = this.#store;
    if (undrawnFrom < list.length || undrawnFrom === 0) {
      chart.draw(list, undrawnFrom);
      if (isTable) candleTable.draw(list, undrawnFrom, buckets, coin.scales);
      if (newest) quote.drawSummary(coin, newest, buckets);
    }
    indicators.draw(candles, undrawnFrom);
    this.#store.undrawnFrom = Infinity;
    this.drawLegend();
  }
}
