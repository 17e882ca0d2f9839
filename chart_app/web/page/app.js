// The live page: connects its parts to each other, to the address and to the buttons.

import { alertElements } from "./alerts/alert_elements.js";
import { Alerts } from "./alerts/alerts.js";
import { CandleTable } from "./chart/candle_table.js";
import { Chart } from "./chart/chart.js";
import { drawingElements } from "./chart/drawings/drawing_elements.js";
import { Drawings } from "./chart/drawings/drawings.js";
import { Indicators } from "./chart/indicators/indicators.js";
import { StudyPicker } from "./chart/indicators/study_picker.js";
import { ChartTools } from "./chart_tools.js";
import { CoinList } from "./coins/coin_list.js";
import { Coins } from "./coins/coins.js";
import { goToChart } from "./coins/go_to_chart.js";
import { Countdown } from "./countdown.js";
import { Loader } from "./data/loader.js";
import { signInIfOver } from "./data/session.js";
import { Store } from "./data/store.js";
import { StreamClient } from "./data/stream_client.js";
import { candleFromEvent, tradeFromEvent } from "./data/wire_format.js";
import { element, typedElement } from "./elements.js";
import { FullscreenButton } from "./fullscreen_button.js";
import { Hint } from "./hint.js";
import { IntervalButtons } from "./interval_buttons.js";
import { Notice } from "./notice.js";
import { Painter } from "./painter.js";
import { openBelow } from "./popover.js";
import { Quote } from "./quote.js";
import { formatAddress, parseAddress } from "./settings/address.js";
import { bucketsOf } from "./settings/buckets.js";
import { Kept } from "./settings/kept.js";
import { LanguageChoice } from "./settings/language_choice.js";
import { PaletteChoice } from "./settings/palette_choice.js";
import { Formats } from "./text/formats.js";
import { fillTexts, textsIn } from "./text/texts.js";
import { zoneOf } from "./text/zone.js";
import { TradeTape } from "./trade_tape.js";
import { fillZones, zoneTitle } from "./zone_select.js";

/** @import { Buckets } from "./settings/buckets.js" */
/** @import { Shown } from "./data/store.js" */
/** @import { Selection } from "./settings/address.js" */
/** @import { ConnectionState } from "./data/stream_client.js" */
/** @import { KlineEvent, MiniTicker, TradeEvent } from "./data/wire_format.js" */

const COINS_INTERVAL_MS = 60_000; // the last 24 hours move on, also without trades
const MINI_TICKERS = "!miniTicker@arr";
const KEPT_ADDRESS = "address";

class App {
  #kept = new Kept(() => localStorage);
  #reader = new LanguageChoice(typedElement("language", HTMLSelectElement), this.#kept);
  #say = textsIn(this.#reader.language);
  #formats = new Formats(this.#reader.locale);
  #store = new Store(parseAddress(location.search || this.#keptAddress()));
  #coins = new Coins();
  #coinList = new CoinList(
    this.#coins,
    {
      grid: element("coins"),
      rows: element("coin-rows"),
      none: element("no-coins"),
      search: typedElement("search", HTMLInputElement),
      found: element("found-coins"),
      onlyFavorites: element("only-favorites"),
    },
    {
      link: (coin) => formatAddress({ ...this.#store.selection, coin }),
      onChoose: (coin) => {
        this.#select({ ...this.#store.selection, coin });
        goToChart(element("market"), element("chart"));
      },
    },
    { formats: this.#formats, say: this.#say, kept: this.#kept },
  );
  #intervalButtons = new IntervalButtons(element("intervals"), this.#say, (interval) =>
    this.#select({ interval }),
  );
  #chartTools = new ChartTools(
    {
      style: typedElement("style", HTMLSelectElement),
      scale: typedElement("scale", HTMLSelectElement),
      zone: typedElement("zone", HTMLSelectElement),
    },
    (changes) => this.#select(changes),
  );
  #hint = new Hint(element("hint"));
  #quote = new Quote(
    {
      coin: element("coin"),
      price: element("price"),
      change: element("change"),
      high: element("high"),
      low: element("low"),
      volume: element("volume"),
      turnover: element("turnover"),
      count: element("count"),
      summary: element("summary"),
      legend: element("legend"),
    },
    this.#say,
    this.#formats,
  );
  #chart = new Chart(
    element("chart"),
    {
      onHover: (openTime) => {
        this.#store.hoveredTime = openTime;
        this.#painter.drawLegend();
      },
      onNearLeftEdge: () => this.#loader.loadOlder(),
      onMove: () => this.#drawLatest(),
    },
    this.#formats,
  );
  #drawings = new Drawings(drawingElements(), this.#chart, this.#kept, this.#say, this.#hint);
  #alerts = new Alerts(
    alertElements(),
    {
      chart: this.#chart,
      coins: this.#coins,
      kept: this.#kept,
      say: this.#say,
      formats: this.#formats,
    },
    {
      lastPrice: (coin) => this.#lastPrice(coin),
      onOpen: (coin) => this.#select({ coin }),
    },
  );
  #indicators = new Indicators(
    { stage: element("stage"), legend: element("study-legend") },
    this.#chart,
    this.#formats,
    () => this.#loader.loadOlder(),
  );
  #studyPicker = new StudyPicker(element("studies"), this.#say, (studies) =>
    this.#select({ studies }),
  );
  #candleTable = new CandleTable(typedElement("candles", HTMLTableSectionElement), this.#formats);
  #tradeTape = new TradeTape(typedElement("tape", HTMLTableSectionElement), this.#formats);
  #notice = new Notice(element("notice"), element("chart"), this.#store);
  #painter = new Painter(this.#store, {
    candleTable: this.#candleTable,
    chart: this.#chart,
    coins: this.#coins,
    indicators: this.#indicators,
    quote: this.#quote,
    tradeTape: this.#tradeTape,
  });
  #loader = new Loader(this.#store, {
    coins: this.#coins,
    notice: this.#notice,
    painter: this.#painter,
    tradeTape: this.#tradeTape,
    say: this.#say,
    onCoins: () => this.#drawCoins(),
  });
  #streams = new StreamClient([MINI_TICKERS], {
    onState: (state) => this.#drawConnection(state),
    onOpen: () => {
      this.#loader.loadCoins();
      this.#loader.loadShown();
    },
    onEvent: (stream, data) => this.#receive(stream, data),
  });

  start() {
    new PaletteChoice(typedElement("colors", HTMLSelectElement), this.#kept, this.#reader.language);
    fillTexts(document, this.#say);
    fillTexts(typedElement("no-trades", HTMLTemplateElement).content, this.#say);
    fillZones(typedElement("zone", HTMLSelectElement), this.#say, Date.now());
    new FullscreenButton(element("fullscreen"), element("market"), () =>
      this.#hint.show(this.#say("fullscreenRefused")),
    );
    openBelow(element("studies"), element("indicators"));
    new Countdown(this.#store, this.#say, (text) => this.#chart.setRemaining(text)).start();
    this.#chooseTools();
    this.#listen();
    this.#streams.connect();
    setInterval(() => {
      if (this.#store.isConnected) this.#loader.loadCoins();
    }, COINS_INTERVAL_MS);
  }

  #listen() {
    addEventListener("popstate", () => {
      this.#store.selection = parseAddress(location.search);
      this.#show();
    });
    addEventListener("keydown", (event) => {
      const isInInput = event.target instanceof Element && event.target.matches("input");
      if (event.key !== "/" || isInInput) return;
      event.preventDefault();
      element("search").focus();
    });
    document.addEventListener("themechange", () => {
      this.#chart.recolor();
      this.#indicators.recolor();
    });
    element("as-table").addEventListener("click", () => this.#toggleTable());
    element("fit").addEventListener("click", () => this.#chart.fit());
    element("latest").addEventListener("click", () => this.#chart.showLatest());
    const table = element("table");
    table.addEventListener("scroll", () => {
      if (table.scrollTop + 2 * table.clientHeight > table.scrollHeight) this.#loader.loadOlder();
    });
  }

  /**
   * Select something else, of which another coin or interval is a step that "back" goes back.
   * @param {Partial<Selection>} changes
   */
  #select(changes) {
    const before = this.#store.selection;
    const selection = { ...before, ...changes };
    const address = formatAddress(selection);
    if (address === formatAddress(before)) return;
    const isStep = selection.coin !== before.coin || selection.interval !== before.interval;
    if (isStep) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
    this.#store.selection = selection;
    this.#keepAddress();
    this.#show();
  }

  /** That of the last visit. */
  #keptAddress() {
    const address = this.#kept.read(KEPT_ADDRESS);
    return typeof address === "string" ? address : "";
  }

  #keepAddress() {
    this.#kept.write(KEPT_ADDRESS, formatAddress(this.#store.selection));
  }

  /** Show what is selected, as soon as its coin is known. */
  #show() {
    const { selection, shown } = this.#store;
    this.#chooseTools();
    const busiest = this.#coins.busiest();
    if (!busiest) {
      this.#notice.show(typedElement("no-trades", HTMLTemplateElement).content.cloneNode(true));
      return;
    }
    if (selection.coin === null || !location.search) {
      // that of the last visit may have no trades any more
      selection.coin = (this.#coins.find(selection.coin ?? "") ?? busiest).name;
      history.replaceState(null, "", formatAddress(selection));
    }
    const coin = this.#coins.find(selection.coin);
    if (!coin) {
      this.#showUnknown(selection.coin);
      return;
    }
    if (shown && shown.coin === coin.name && isSame(shown, selection)) return;
    this.#clear();
    const zone = zoneOf(selection.zone);
    const buckets = bucketsOf(selection.interval, zone, Date.now());
    this.#store.show(coin.name, buckets, zone);
    this.#keepAddress();
    this.#notice.hide();
    this.#quote.reset(coin.name);
    this.#chart.reset(buckets, coin.scales.price);
    this.#indicators.reset(buckets.zone);
    this.#drawings.show(coin.name, buckets.interval);
    this.#alerts.show(coin.name);
    this.#candleTable.clear();
    this.#tradeTape.clear();
    this.#coinList.choose(coin.name);
    const streams = [MINI_TICKERS, klineStream(coin.name, buckets), tradeStream(coin.name)];
    this.#streams.follow(streams, () => this.#loader.loadShown());
  }

  /** Let the tools and the chart be as selected. */
  #chooseTools() {
    const { selection } = this.#store;
    const zone = zoneTitle(selection.zone, this.#say);
    element("open-time").textContent = this.#say("openTimeIn", { zone });
    element("trade-time").textContent = this.#say("timeIn", { zone });
    this.#intervalButtons.choose(selection.interval);
    this.#chartTools.choose(selection);
    this.#chart.setStyle(selection.style);
    this.#chart.setPriceScale(selection.scale);
    this.#indicators.choose(selection.studies);
    this.#studyPicker.choose(selection.studies);
  }

  /** @param {string} name of a coin that has no trades yet */
  #showUnknown(name) {
    this.#clear();
    this.#tradeTape.clear();
    this.#coinList.choose(null);
    this.#quote.reset(name);
    this.#alerts.show(null);
    this.#notice.show(this.#say("noTradesOf", { coin: name }));
  }

  #clear() {
    this.#loader.abort();
    this.#store.clear();
    this.#streams.follow([MINI_TICKERS]);
  }

  /**
   * @param {string} stream
   * @param {unknown} data
   */
  #receive(stream, data) {
    const { shown } = this.#store;
    if (stream === MINI_TICKERS) {
      this.#receiveTickers(/** @type {MiniTicker[]} */ (data));
    } else if (!shown) {
      return;
    } else if (stream === klineStream(shown.coin, shown.buckets)) {
      const event = /** @type {KlineEvent} */ (data);
      const candle = candleFromEvent(event);
      this.#store.clock.set(event.E);
      const before = shown.candles.newest;
      this.#painter.paintCandles(shown.candles.amend(candle));
      this.#alerts.tick(shown.coin, before, shown.candles.newest);
      if (candle.revision > this.#store.revision) {
        this.#store.revision = candle.revision;
        this.#loader.renew();
      }
    } else if (stream === tradeStream(shown.coin)) {
      this.#tradeTape.add([tradeFromEvent(/** @type {TradeEvent} */ (data))]);
    }
    this.#painter.paint();
  }

  /** @param {MiniTicker[]} tickers */
  #receiveTickers(tickers) {
    const unknown = tickers.filter((ticker) => !this.#coins.tick(ticker));
    this.#coinList.draw();
    this.#loader.loadNewCoins(unknown.map(({ s }) => s));
    this.#alerts.check(tickers.map(({ s }) => s));
  }

  #drawCoins() {
    this.#coinList.draw();
    this.#show();
    this.#alerts.check(this.#coins.list.map(({ name }) => name));
    this.#painter.paint();
  }

  /**
   * That of the newest candle, if it is shown: it comes at once, the other once a second.
   * @param {string} coin
   */
  #lastPrice(coin) {
    const { shown } = this.#store;
    const newest = shown?.coin === coin ? shown.candles.newest : undefined;
    return newest?.close ?? this.#coins.get(coin)?.day.lastPrice;
  }

  /** @param {ConnectionState} state */
  #drawConnection(state) {
    this.#store.isConnected = state !== "reconnecting";
    if (!this.#store.isConnected) signInIfOver();
    element("connection").dataset.state = state;
    element("connection").textContent = this.#say(state);
  }

  #drawLatest() {
    const isThere = this.#store.isTable || this.#chart.isNewestInView;
    typedElement("latest", HTMLButtonElement).disabled = isThere;
  }

  #toggleTable() {
    const isTable = !this.#store.isTable;
    this.#store.isTable = isTable;
    element("as-table").setAttribute("aria-pressed", String(isTable));
    element("table").hidden = !isTable;
    element("chart").inert = isTable;
    this.#drawLatest();
    this.#candleTable.clear();
    this.#painter.paintCandles(0);
  }
}

/**
 * Whether an interval and a zone are shown.
 * @param {Shown} shown
 * @param {Selection} selection
 */
const isSame = ({ buckets, zone }, selection) =>
  buckets.interval === selection.interval && zone.name === selection.zone;

/**
 * @param {string} coin
 * @param {Buckets} buckets
 */
const klineStream = (coin, { interval, timeZone }) => `${coin}@kline_${interval}@${timeZone}`;

/** @param {string} coin */
const tradeStream = (coin) => `${coin}@trade`;

new App().start();
