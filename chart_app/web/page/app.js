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
import { ConnectionView } from "./connection_view.js";
import { Countdown } from "./countdown.js";
import { LiveFeed } from "./data/live_feed.js";
import { Loader } from "./data/loader.js";
import { Store } from "./data/store.js";
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
import { formatDate } from "./text/time_format.js";
import { zoneOf } from "./text/zone.js";
import { TradeTape } from "./trade_tape.js";
import { fillZones, zoneTitle } from "./zone_select.js";

/** @import { Shown } from "./data/store.js" */
/** @import { Selection } from "./settings/address.js" */

const KEPT_ADDRESS = "address";

class App {
  #kept = new Kept(() => localStorage);
  #reader = new LanguageChoice(typedElement("language", HTMLSelectElement), this.#kept);
  #say = textsIn(this.#reader.language);
  #formats = new Formats(this.#reader.locale);
  /** Whether the coin was chosen at the last visit, and may be there no more. */
  #isRemembered = !location.search;
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
      pastDate: (time) => {
        const zone = this.#store.shown?.zone ?? zoneOf("");
        return this.#store.isOld(time) ? formatDate(time, zone) : "";
      },
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
  #connectionView = new ConnectionView(
    { word: element("connection"), banner: element("out-of-date") },
    this.#store,
    this.#say,
  );
  #quote = new Quote(
    {
      coin: element("coin"),
      price: element("price"),
      change: element("change"),
      asOf: element("as-of"),
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
  #notice = new Notice(element("notice"), element("chart"), this.#store, this.#say);
  #painter = new Painter(this.#store, {
    candleTable: this.#candleTable,
    chart: this.#chart,
    coins: this.#coins,
    connectionView: this.#connectionView,
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
    onUnknown: () => this.#forgetCoin(),
    onLoaded: (isWithStreams) => {
      if (isWithStreams) this.#store.connection.setLoaded();
      this.#connectionView.draw();
      this.#show(); // the coin is known now, and how it is spelled
    },
  });
  #feed = new LiveFeed(this.#store, {
    alerts: this.#alerts,
    coins: this.#coins,
    coinList: this.#coinList,
    connectionView: this.#connectionView,
    loader: this.#loader,
    painter: this.#painter,
    tradeTape: this.#tradeTape,
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
    this.#coinList.draw();
    this.#show();
    this.#feed.start();
  }

  #listen() {
    addEventListener("popstate", () => {
      this.#store.selection = parseAddress(location.search);
      this.#isRemembered = false;
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
    if (isStep) history.pushState(history.state, "", address);
    else history.replaceState(history.state, "", address);
    this.#store.selection = selection;
    this.#isRemembered = false;
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

  /** Show what is selected: at once where a coin is named, else one of the coins once they are known. */
  #show() {
    const { selection, shown } = this.#store;
    this.#chooseTools();
    const { isLoaded } = this.#coins;
    const busiest = this.#coins.busiest();
    if (isLoaded && !busiest) {
      this.#clear();
      this.#notice.show(
        typedElement("no-trades", HTMLTemplateElement).content.cloneNode(true),
        true,
      );
      return;
    }
    if (selection.coin === null && isLoaded && busiest) selection.coin = busiest.name;
    if (selection.coin === null) {
      this.#notice.showLoading();
      this.#loader.loadCoins();
      return;
    }
    const coin = this.#coins.find(selection.coin);
    if (isLoaded && !coin) {
      this.#forgetCoin();
      return;
    }
    const name = coin?.name ?? selection.coin;
    if (coin) this.#isRemembered = false;
    if (coin && !location.search) {
      history.replaceState(history.state, "", formatAddress(selection));
    }
    if (coin) this.#keepAddress();
    if (shown && shown.coin === name && isSame(shown, selection)) return;
    this.#begin(name, coin?.scales.price ?? 0);
  }

  /**
   * @param {string} name
   * @param {number} scale of prices
   */
  #begin(name, scale) {
    const { selection } = this.#store;
    const zone = zoneOf(selection.zone);
    const buckets = bucketsOf(selection.interval, zone, Date.now());
    this.#loader.abort();
    this.#store.show(name, buckets, zone);
    this.#notice.hide();
    this.#quote.reset(name);
    this.#chart.reset(buckets, scale);
    this.#indicators.reset(buckets.zone);
    this.#drawings.show(name, buckets.interval);
    this.#alerts.show(name);
    this.#candleTable.clear();
    this.#tradeTape.clear();
    this.#coinList.choose(name);
    this.#painter.paint();
    this.#notice.showLoading();
    this.#feed.showNew();
  }

  /** The coin that is selected has no trades: show another one, if it was not asked for by name. */
  #forgetCoin() {
    const { selection } = this.#store;
    if (this.#isRemembered) {
      selection.coin = null;
      this.#clear();
      this.#show();
    } else if (selection.coin !== null) {
      this.#showUnknown(selection.coin);
    }
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
    this.#coinList.choose(null);
    this.#quote.reset(name);
    this.#alerts.show(null);
    this.#notice.show(this.#say("noTradesOf", { coin: name }), true);
  }

  #clear() {
    this.#store.clear();
    this.#tradeTape.clear();
    this.#feed.showNone();
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

new App().start();
