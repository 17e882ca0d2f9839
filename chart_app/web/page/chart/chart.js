// Candles and volume as a picture, by lightweight-charts.

import { ColorType, CrosshairMode, createChartEx, PriceScaleMode } from "../lightweight-charts.mjs";
import { isDayOrLonger } from "../settings/intervals.js";
import { formatOpenTime } from "../text/time_format.js";
import { readColors } from "./chart_colors.js";
import { ChartKeys } from "./chart_keys.js";
import { LastPrice } from "./last_price.js";
import { PriceSeries } from "./price_series.js";
import { tickMarkFormatter, ZonedTimes } from "./tick_marks.js";
import { VolumeSeries } from "./volume_series.js";

/** @import { ChartOptions, DeepPartial, IChartApi, ISeriesPrimitive, Time } from "lightweight-charts" */
/** @import { Candle } from "../data/candles.js" */
/** @import { Formats } from "../text/formats.js" */
/** @import { Buckets } from "../settings/buckets.js" */
/** @import { PriceScale, PriceStyle } from "../settings/price_styles.js" */
/** @import { AnyPriceSeries } from "./price_series.js" */

/**
 * @typedef {object} ChartHandlers
 * @property {(openTime: number | null) => void} onHover gets that of the candle under the cursor
 * @property {() => void} onNearLeftEdge
 * @property {() => void} onMove
 */

const NEAR_LEFT_EDGE = 100; // candles left to show: time to load older ones
const BAR_SPACING_PX = 8;
const WIDEST_BAR_SPACING_PX = 20; // with few candles
const RIGHT_OFFSET = 4; // candles

const SCALE_MODES = {
  linear: PriceScaleMode.Normal,
  log: PriceScaleMode.Logarithmic,
  percent: PriceScaleMode.Percentage,
};

export class Chart {
  #container;
  #formats;
  #times = new ZonedTimes();
  #chart;
  #prices;
  #volumes;
  #lastPrice;
  /**
   * The candles that are drawn, and those that the next draw() will draw.
   * @type {Candle[]}
   */
  #list = [];
  /** How many candles are drawn. */
  #drawn = 0;
  /** The open time (ms) of the newest of them. */
  #newestTime = -Infinity;
  /** @type {((series: AnyPriceSeries) => void)[]} */
  #seriesListeners = [];

  /**
   * @param {HTMLElement} container
   * @param {ChartHandlers} handlers
   * @param {Formats} formats
   */
  constructor(container, { onHover, onNearLeftEdge, onMove }, formats) {
    this.#container = container;
    this.#formats = formats;
    /** @type {DeepPartial<ChartOptions>} */
    const options = {
      autoSize: true,
      localization: {
        locale: formats.locale,
        percentageFormatter: (/** @type {number} */ percent) => formats.percent(percent),
      },
      // Its logo brings a style element along, which the page's security policy forbids;
      // the footer has the notice and the link instead.
      layout: { attributionLogo: false, fontFamily: getComputedStyle(container).fontFamily },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.12, bottom: 0.24 } },
      timeScale: {
        borderVisible: false,
        rightOffset: RIGHT_OFFSET,
        minBarSpacing: 1,
        secondsVisible: false,
      },
    };
    this.#chart = /** @type {IChartApi} */ (createChartEx(container, this.#times, options));
    const colors = readColors(container);
    this.#prices = new PriceSeries(this.#chart, colors, formats);
    this.#volumes = new VolumeSeries(this.#chart, colors);
    this.#lastPrice = new LastPrice(colors);
    this.attachPrimitive(this.#lastPrice);

    this.#chart.subscribeCrosshairMove(({ time }) => {
      onHover(time === undefined ? null : Number(time) * 1000);
    });
    const timeScale = this.#chart.timeScale();
    timeScale.subscribeVisibleLogicalRangeChange((range) => {
      if (!range || !this.#drawn) return;
      if (range.from < NEAR_LEFT_EDGE) onNearLeftEdge();
      onMove();
    });
    const keys = new ChartKeys(timeScale, () => this.showLatest());
    container.addEventListener("keydown", (event) => keys.press(event));
    this.recolor();
  }

  /** The library's chart. */
  get api() {
    return this.#chart;
  }

  get isNewestInView() {
    const range = this.#chart.timeScale().getVisibleLogicalRange();
    return !range || range.to >= this.#drawn - 1;
  }

  /** The library's series of prices: another one after each change of the style. */
  get priceSeries() {
    return this.#prices.series;
  }

  /**
   * Be called with the new series of prices, once the old one is gone.
   * @param {(series: AnyPriceSeries) => void} listener
   */
  onSeriesChange(listener) {
    this.#seriesListeners.push(listener);
  }

  /**
   * Be called with the y in px at which the prices are clicked or tapped.
   * @param {(y: number) => void} listener
   */
  onClick(listener) {
    this.#chart.subscribeClick(({ point, paneIndex }) => {
      if (point && paneIndex === this.priceSeries.getPane().paneIndex()) listener(point.y);
    });
  }

  /**
   * Let something be drawn along with the prices, whatever their style.
   * @param {ISeriesPrimitive} primitive
   */
  attachPrimitive(primitive) {
    this.priceSeries.attachPrimitive(primitive);
    this.onSeriesChange((series) => series.attachPrimitive(primitive));
  }

  /**
   * @param {Candle[]} list
   * @param {number} from index of the first candle that is not drawn as it is
   */
  draw(list, from) {
    this.#list = list;
    const changed = list.slice(from);
    // Only the newest bar and newer ones can be updated in place; from 0 bars may be gone.
    if (this.#drawn && from > 0 && changed.every(({ openTime }) => openTime >= this.#newestTime)) {
      for (const candle of changed) {
        this.#prices.update(candle);
        this.#volumes.update(candle);
      }
    } else {
      if (!this.#drawn) this.#spread(list.length);
      this.#prices.set(list);
      this.#volumes.set(list);
    }
    this.#lastPrice.show(list.at(-1));
    this.#noteDrawn();
  }

  /**
   * Begin with another coin, interval or zone, without candles.
   * @param {Buckets} buckets
   * @param {number} scale of prices
   */
  reset(buckets, scale) {
    this.#list = [];
    this.#noteDrawn();
    this.#prices.set([]);
    this.#volumes.set([]);
    this.#lastPrice.show(undefined);
    this.setScale(scale);
    this.#times.zone = buckets.zone;
    this.#chart.applyOptions({
      localization: {
        timeFormatter: (/** @type {Time} */ time) => formatOpenTime(Number(time) * 1000, buckets),
      },
      timeScale: {
        timeVisible: !isDayOrLonger(buckets.interval),
        tickMarkFormatter: tickMarkFormatter(this.#formats.locale, buckets.zone),
      },
    });
    this.#chart.priceScale("right").applyOptions({ autoScale: true });
  }

  /** @param {number} scale of prices */
  setScale(scale) {
    this.#prices.setScale(scale);
  }

  /** @param {PriceStyle} style */
  setStyle(style) {
    if (!this.#prices.setStyle(style, this.#list)) return;
    this.#volumes.set(this.#list);
    this.#noteDrawn();
    for (const listener of this.#seriesListeners) listener(this.priceSeries);
  }

  /** @param {PriceScale} scale */
  setPriceScale(scale) {
    this.#chart.priceScale("right").applyOptions({ mode: SCALE_MODES[scale] });
  }

  /** @param {string} remaining how long the newest candle still runs; none where it does not */
  setRemaining(remaining) {
    this.#lastPrice.showRemaining(remaining);
  }

  showLatest() {
    this.#chart.timeScale().scrollToPosition(RIGHT_OFFSET, false);
  }

  /** Show all candles that are held, with all of their prices. */
  fit() {
    this.#chart.timeScale().fitContent();
    this.#chart.priceScale("right").applyOptions({ autoScale: true });
  }

  /** Take the colors that the style sheet has now. */
  recolor() {
    const colors = readColors(this.#container);
    const { text, muted, line, surface } = colors;
    this.#chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: surface },
        textColor: muted,
        panes: { separatorColor: line, separatorHoverColor: colors["accent-soft"] },
      },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      crosshair: {
        vertLine: { color: muted, labelBackgroundColor: text },
        horzLine: { color: muted, labelBackgroundColor: text },
      },
    });
    this.#prices.recolor(colors);
    this.#lastPrice.recolor(colors);
    this.#volumes.recolor(colors, this.#list);
    this.#noteDrawn();
  }

  #noteDrawn() {
    this.#drawn = this.#list.length;
    this.#newestTime = this.#list.at(-1)?.openTime ?? -Infinity;
  }

  /**
   * Let few candles take more room than many.
   * @param {number} count
   */
  #spread(count) {
    const spacing = this.#chart.timeScale().width() / (count + RIGHT_OFFSET);
    const barSpacing = Math.min(WIDEST_BAR_SPACING_PX, Math.max(BAR_SPACING_PX, spacing));
    this.#chart.timeScale().applyOptions({ barSpacing });
    this.showLatest();
  }
}
