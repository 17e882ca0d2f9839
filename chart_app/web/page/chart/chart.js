// Candles and volume as a picture, by lightweight-charts.

import {
  CandlestickSeries,
  ColorType,
  CrosshairMode,
  createChart,
  HistogramSeries,
} from "../lightweight-charts.mjs";
import { isDayOrLonger } from "../settings/intervals.js";
import { formatOpenTime } from "../text/time_format.js";

/** @import { Time, UTCTimestamp } from "lightweight-charts" */
/** @import { Candle } from "../data/candles.js" */
/** @import { Formats } from "../text/formats.js" */

/**
 * @typedef {object} ChartHandlers
 * @property {(openTime: number | null) => void} onHover gets that of the candle under the cursor
 * @property {() => void} onNearLeftEdge
 * @property {(isNewestInView: boolean) => void} onMove
 */

const NEAR_LEFT_EDGE = 100; // candles left to show: time to load older ones
const KEY_SCROLL = 10; // candles
const KEY_ZOOM = 1.25;
const BAR_SPACING_PX = 8;
const WIDEST_BAR_SPACING_PX = 20; // with few candles
const LARGEST_SCALE = 18; // a picture cannot show more
const RIGHT_OFFSET = 4; // candles

/** Each is the class `color-…` of the style sheet. */
const COLORS = /** @type {const} */ ([
  "up",
  "down",
  "up-soft",
  "down-soft",
  "text",
  "muted",
  "line",
  "surface",
]);

export class Chart {
  #container;
  #formats;
  #chart;
  #prices;
  #volumes;
  #colors;
  /** How many candles are drawn. */
  #drawn = 0;
  /** The open time (ms) of the newest of them. */
  #newestTime = -Infinity;
  /** @type {number | undefined} */
  #scale;
  /**
   * The scroll position that the next frame will have.
   * @type {number | undefined}
   */
  #position;

  /**
   * @param {HTMLElement} container
   * @param {ChartHandlers} handlers
   * @param {Formats} formats
   */
  constructor(container, { onHover, onNearLeftEdge, onMove }, formats) {
    this.#container = container;
    this.#formats = formats;
    this.#chart = createChart(container, {
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
    });
    this.#prices = this.#chart.addSeries(CandlestickSeries, { borderVisible: false });
    this.#volumes = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: "",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.#volumes.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });

    this.#chart.subscribeCrosshairMove(({ time }) => {
      onHover(time === undefined ? null : Number(time) * 1000);
    });
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (!range || !this.#drawn) return;
      if (range.from < NEAR_LEFT_EDGE) onNearLeftEdge();
      onMove(range.to >= this.#drawn - 1);
    });
    container.addEventListener("keydown", (event) => this.#press(event));
    this.#colors = this.#readColors();
    this.#applyColors();
  }

  /**
   * @param {Candle[]} list
   * @param {number} from index of the first candle that is not drawn as it is
   */
  draw(list, from) {
    const changed = list.slice(from);
    // Only the newest bar and newer ones can be updated in place; from 0 bars may be gone.
    if (this.#drawn && from > 0 && changed.every(({ openTime }) => openTime >= this.#newestTime)) {
      for (const candle of changed) {
        this.#prices.update(priceBar(candle));
        this.#volumes.update(this.#volumeBar(candle));
      }
    } else {
      if (!this.#drawn) this.#spread(list.length);
      this.#prices.setData(list.map(priceBar));
      this.#volumes.setData(list.map((candle) => this.#volumeBar(candle)));
    }
    this.#drawn = list.length;
    this.#newestTime = list.at(-1)?.openTime ?? -Infinity;
  }

  /**
   * Begin with another coin or interval, without candles.
   * @param {string} interval
   * @param {number} scale of prices
   */
  reset(interval, scale) {
    this.#drawn = 0;
    this.#prices.setData([]);
    this.#volumes.setData([]);
    this.setScale(scale);
    this.#chart.applyOptions({
      localization: {
        timeFormatter: (/** @type {Time} */ time) => formatOpenTime(Number(time) * 1000, interval),
      },
      timeScale: { timeVisible: !isDayOrLonger(interval) },
    });
    this.#chart.priceScale("right").applyOptions({ autoScale: true });
  }

  /** @param {number} scale of prices */
  setScale(scale) {
    if (scale === this.#scale) return;
    this.#scale = scale;
    const shown = Math.min(scale, LARGEST_SCALE);
    this.#prices.applyOptions({
      priceFormat: {
        type: "custom",
        formatter: (/** @type {number} */ number) => this.#formats.number(number, shown),
        minMove: 10 ** -shown,
        base: 10 ** shown, // 1 / minMove is no whole number for some
      },
    });
  }

  showLatest() {
    this.#chart.timeScale().scrollToPosition(RIGHT_OFFSET, false);
  }

  /**
   * Take the colors that the style sheet has now.
   * @param {Candle[]} list the candles that are drawn
   */
  recolor(list) {
    this.#colors = this.#readColors();
    this.#applyColors();
    this.#volumes.setData(list.map((candle) => this.#volumeBar(candle)));
  }

  #applyColors() {
    const { up, down, text, muted, line, surface } = this.#colors;
    this.#chart.applyOptions({
      layout: { background: { type: ColorType.Solid, color: surface }, textColor: muted },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      crosshair: {
        vertLine: { color: muted, labelBackgroundColor: text },
        horzLine: { color: muted, labelBackgroundColor: text },
      },
    });
    this.#prices.applyOptions({
      upColor: up,
      downColor: down,
      wickUpColor: up,
      wickDownColor: down,
    });
  }

  /** @returns {Record<typeof COLORS[number], string>} */
  #readColors() {
    const probe = document.createElement("i");
    this.#container.append(probe);
    const colors = COLORS.map((name) => {
      probe.className = `color-${name}`;
      return [name, getComputedStyle(probe).color];
    });
    probe.remove();
    return Object.fromEntries(colors);
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

  /** @param {Candle} candle */
  #volumeBar({ openTime, open, close, volume }) {
    const color = this.#colors[Number(close) >= Number(open) ? "up-soft" : "down-soft"];
    return { time: chartTime(openTime), value: Number(volume), color };
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const timeScale = this.#chart.timeScale();
    const spacing = timeScale.options().barSpacing;
    /** @type {Record<string, () => void>} */
    const moves = {
      ArrowLeft: () => this.#scrollBy(-KEY_SCROLL),
      ArrowRight: () => this.#scrollBy(KEY_SCROLL),
      "+": () => timeScale.applyOptions({ barSpacing: spacing * KEY_ZOOM }),
      "-": () => timeScale.applyOptions({ barSpacing: spacing / KEY_ZOOM }),
      End: () => this.showLatest(),
    };
    const move = moves[event.key];
    if (!move) return;
    move();
    event.preventDefault();
  }

  /**
   * The chart moves with the next frame only; until then, several steps add up.
   * @param {number} step in candles
   */
  #scrollBy(step) {
    const timeScale = this.#chart.timeScale();
    this.#position = (this.#position ?? timeScale.scrollPosition()) + step;
    timeScale.scrollToPosition(this.#position, false);
    requestAnimationFrame(() => {
      this.#position = undefined;
    });
  }
}

/**
 * The library counts in seconds.
 * @param {number} ms
 */
const chartTime = (ms) => /** @type {UTCTimestamp} */ (ms / 1000);

/** @param {Candle} candle */
function priceBar({ openTime, open, high, low, close }) {
  return {
    time: chartTime(openTime),
    open: Number(open),
    high: Number(high),
    low: Number(low),
    close: Number(close),
  };
}
