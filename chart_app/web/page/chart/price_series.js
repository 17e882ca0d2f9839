// The prices, as candles, a line or an area.
import { AreaSeries, CandlestickSeries, LineSeries } from "../lightweight-charts.mjs";
import { chartTime } from "./chart_time.js";

/** @import { IChartApi, ISeriesApi } from "lightweight-charts" */
/** @import { Candle } from "../data/candles.js" */
/** @import { PriceStyle } from "../settings/price_styles.js" */
/** @import { Formats } from "../text/formats.js" */
/** @import { ChartColors } from "./chart_colors.js" */

/** @typedef {ISeriesApi<"Candlestick" | "Line" | "Area">} AnyPriceSeries */

const LARGEST_SCALE = 18; // a picture cannot show more
const LINE_WIDTH_PX = /** @type {const} */ (2);

export class PriceSeries {
  #chart;
  #colors;
  #formats;
  /** @type {PriceStyle} */
  #style = "candles";
  /** @type {AnyPriceSeries} */
  #series;
  #scale = 0;

  /**
   * @param {IChartApi} chart
   * @param {ChartColors} colors
   * @param {Formats} formats
   */
  constructor(chart, colors, formats) {
    this.#chart = chart;
    this.#colors = colors;
    this.#formats = formats;
    this.#series = this.#add();
  }

  /** What the library draws: another one after each change of the style. */
  get series() {
    return this.#series;
  }

  /**
   * Draw in another style; return whether it is another.
   * @param {PriceStyle} style
   * @param {Candle[]} list
   */
  setStyle(style, list) {
    if (style === this.#style) return false;
    const replaced = this.#series;
    this.#style = style;
    this.#series = this.#add();
    this.set(list);
    this.#series.setSeriesOrder(replaced.seriesOrder());
    this.#chart.removeSeries(replaced);
    return true;
  }

  /** @param {Candle[]} list */
  set(list) {
    this.#series.setData(list.map((candle) => this.#bar(candle)));
  }

  /** @param {Candle} candle the newest, or a newer one */
  update(candle) {
    this.#series.update(this.#bar(candle));
  }

  /** @param {number} scale of prices */
  setScale(scale) {
    if (scale === this.#scale) return;
    this.#scale = scale;
    this.#applyScale(this.#series);
  }

  /** @param {ChartColors} colors */
  recolor(colors) {
    this.#colors = colors;
    this.#applyColors(this.#series);
  }

  #add() {
    const series = this.#chart.addSeries(SERIES[this.#style], { lastValueVisible: false });
    this.#applyColors(series);
    this.#applyScale(series);
    return series;
  }

  /** @param {AnyPriceSeries} series */
  #applyScale(series) {
    const shown = Math.min(this.#scale, LARGEST_SCALE);
    series.applyOptions({
      priceFormat: {
        type: "custom",
        formatter: (/** @type {number} */ number) => this.#formats.number(number, shown),
        minMove: 10 ** -shown,
        base: 10 ** shown, // 1 / minMove is no whole number for some
      },
    });
  }

  /** @param {AnyPriceSeries} series */
  #applyColors(series) {
    const { up, down, accent, surface } = this.#colors;
    const options = {
      candles: {
        borderVisible: false,
        upColor: up,
        downColor: down,
        wickUpColor: up,
        wickDownColor: down,
      },
      line: { color: accent, lineWidth: LINE_WIDTH_PX },
      area: {
        lineColor: accent,
        lineWidth: LINE_WIDTH_PX,
        topColor: this.#colors["accent-soft"],
        bottomColor: surface,
      },
    };
    series.applyOptions(options[this.#style]);
  }

  /** @param {Candle} candle */
  #bar({ openTime, open, high, low, close }) {
    const time = chartTime(openTime);
    if (this.#style !== "candles") return { time, value: Number(close) };
    return {
      time,
      open: Number(open),
      high: Number(high),
      low: Number(low),
      close: Number(close),
    };
  }
}

const SERIES = { candles: CandlestickSeries, line: LineSeries, area: AreaSeries };
