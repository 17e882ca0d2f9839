// Candles and volume as a picture, by lightweight-charts.
import {
  CandlestickSeries,
  ColorType,
  createChart,
  CrosshairMode,
  HistogramSeries,
} from "./lightweight-charts.mjs";
import { opening } from "./clock.js";
import { formatNumber } from "./decimal.js";

const NEAR_LEFT_EDGE = 100; // candles left to show: time to load older ones
const KEY_SCROLL = 10; // candles
const KEY_ZOOM = 1.25;
const BAR_SPACING_PX = 8;
const WIDEST_BAR_SPACING_PX = 20; // with few candles
const MOST_DIGITS = 18; // a picture cannot show more
const RIGHT_OFFSET = 4; // candles

/** `onHover` gets the open time under the cursor or null; `onMove` whether the newest is in view. */
export class Chart {
  #container;
  #chart;
  #prices;
  #volumes;
  #colors = {};
  #drawn = 0;
  #digits;
  #position; // that the next frame will have

  constructor(container, { onHover, onNearLeftEdge, onMove }) {
    this.#container = container;
    this.#chart = createChart(container, {
      autoSize: true,
      localization: { locale: "en" }, // the browser's own may be none that Intl knows
      // Its logo brings a style element along, which the page's security policy forbids;
      // the footer has the notice and the link instead.
      layout: { attributionLogo: false, fontFamily: getComputedStyle(container).fontFamily },
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.12, bottom: 0.24 } },
      timeScale: { borderVisible: false, rightOffset: RIGHT_OFFSET, minBarSpacing: 1, secondsVisible: false },
    });
    this.#prices = this.#chart.addSeries(CandlestickSeries, { borderVisible: false });
    this.#volumes = this.#chart.addSeries(HistogramSeries, {
      priceScaleId: "",
      priceFormat: { type: "volume" },
      lastValueVisible: false,
      priceLineVisible: false,
    });
    this.#volumes.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });

    this.#chart.subscribeCrosshairMove(({ time }) => onHover(time === undefined ? null : time * 1000));
    this.#chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (!range || !this.#drawn) return;
      if (range.from < NEAR_LEFT_EDGE) onNearLeftEdge();
      onMove(range.to >= this.#drawn - 1);
    });
    container.addEventListener("keydown", (event) => this.#press(event));
    this.recolor();
  }

  /** Draw a list of candles of which those before an index are drawn already. */
  draw(list, from) {
    // Only the newest bar and newer ones can be updated in place.
    if (this.#drawn && from >= this.#drawn - 1) {
      for (const candle of list.slice(from)) {
        this.#prices.update(price(candle));
        this.#volumes.update(this.#volume(candle));
      }
    } else {
      if (!this.#drawn) this.#spread(list.length);
      this.#prices.setData(list.map(price));
      this.#volumes.setData(list.map((candle) => this.#volume(candle)));
    }
    this.#drawn = list.length;
  }

  /** Begin anew for another coin or interval. */
  reset(interval, digits) {
    this.#drawn = 0;
    this.#prices.setData([]);
    this.#volumes.setData([]);
    this.setDigits(digits);
    this.#chart.applyOptions({
      localization: { timeFormatter: (time) => opening(time * 1000, interval) },
      timeScale: { timeVisible: !/[dwM]$/.test(interval) },
    });
    this.#chart.priceScale("right").applyOptions({ autoScale: true });
  }

  setDigits(digits) {
    if (digits === this.#digits) return;
    this.#digits = digits;
    const shown = Math.min(digits, MOST_DIGITS);
    this.#prices.applyOptions({
      priceFormat: {
        type: "custom",
        formatter: (number) => formatNumber(number, shown),
        minMove: 10 ** -shown,
        base: 10 ** shown, // 1 / minMove is no whole number for some
      },
    });
  }

  showLatest() {
    this.#chart.timeScale().scrollToPosition(RIGHT_OFFSET, false);
  }

  /** Take the colors that the style sheet has now. */
  recolor(list = []) {
    const color = (name) => {
      const probe = document.createElement("i");
      probe.className = `color-${name}`;
      this.#container.append(probe);
      const found = getComputedStyle(probe).color;
      probe.remove();
      return found;
    };
    for (const name of ["up", "down", "up-soft", "down-soft", "text", "muted", "line", "surface"]) {
      this.#colors[name] = color(name);
    }
    const { up, down, muted, line, surface } = this.#colors;
    this.#chart.applyOptions({
      layout: { background: { type: ColorType.Solid, color: surface }, textColor: muted },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      crosshair: {
        vertLine: { color: muted, labelBackgroundColor: this.#colors.text },
        horzLine: { color: muted, labelBackgroundColor: this.#colors.text },
      },
    });
    this.#prices.applyOptions({ upColor: up, downColor: down, wickUpColor: up, wickDownColor: down });
    this.#volumes.setData(list.map((candle) => this.#volume(candle)));
  }

  /** Let few candles take more room than many. */
  #spread(count) {
    const spacing = this.#chart.timeScale().width() / (count + RIGHT_OFFSET);
    const barSpacing = Math.min(WIDEST_BAR_SPACING_PX, Math.max(BAR_SPACING_PX, spacing));
    this.#chart.timeScale().applyOptions({ barSpacing });
    this.showLatest();
  }

  #volume({ time, open, close, volume }) {
    const color = this.#colors[Number(close) >= Number(open) ? "up-soft" : "down-soft"];
    return { time: time / 1000, value: Number(volume), color };
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const scale = this.#chart.timeScale();
    const spacing = scale.options().barSpacing;
    const moves = {
      ArrowLeft: () => this.#scrollBy(-KEY_SCROLL),
      ArrowRight: () => this.#scrollBy(KEY_SCROLL),
      "+": () => scale.applyOptions({ barSpacing: spacing * KEY_ZOOM }),
      "-": () => scale.applyOptions({ barSpacing: spacing / KEY_ZOOM }),
      End: () => this.showLatest(),
    };
    if (!moves[event.key]) return;
    moves[event.key]();
    event.preventDefault();
  }

  /** The chart moves with the next frame only; until then, several steps add up. */
  #scrollBy(step) {
    const scale = this.#chart.timeScale();
    this.#position = (this.#position ?? scale.scrollPosition()) + step;
    scale.scrollToPosition(this.#position, false);
    requestAnimationFrame(() => {
      this.#position = undefined;
    });
  }
}

function price({ time, open, high, low, close }) {
  return {
    time: time / 1000,
    open: Number(open),
    high: Number(high),
    low: Number(low),
    close: Number(close),
  };
}
