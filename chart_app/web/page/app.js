// The page: which coin and interval are shown, and what is asked and drawn when.
import { Candles, fromEvent as candleFromEvent } from "./candles.js";
import { Chart } from "./chart.js";
import { Coins } from "./coins.js";
import { delay, Feed } from "./feed.js";
import * as history from "./history.js";
import { Market } from "./market.js";
import { Table } from "./table.js";
import * as tapes from "./tape.js";

const INTERVALS = "1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M".split(" ");
const DAYS_EVERY_MS = 60_000; // the day's window moves on, also without trades
const COINS_AGAIN_MS = 500; // the answers may be a moment old
const PAINT_EVERY_MS = 100;
const ALL_DAYS = "!miniTicker@arr";
const STATES = { live: "Live", stale: "No answer", reconnecting: "Reconnecting" };

const element = (id) => document.getElementById(id);
const elements = (...ids) => Object.fromEntries(ids.map((id) => [id, element(id)]));

let wanted = fromAddress(); // what the address says; the coin may be null, or unknown yet
let shown = null; // { coin, interval, candles } once the coin is known
let announced = new Set(); // coins that the feed has named and the list does not have yet
let again; // when they are asked for
let loading = new AbortController();
let isLoadingOlder = false;
let failures = 0;
let dirtyFrom = Infinity; // index of the first candle to be drawn
let isPainting = false;
let isPaintDue = false;
let isConnected = false;
let hovered = null;

const market = new Market(
  elements("coin", "price", "change", "high", "low", "volume", "turnover", "count", "summary", "legend"),
);
const chart = new Chart(element("chart"), {
  onHover(time) {
    hovered = time;
    if (shown?.candles.newest) drawLegend();
  },
  onNearLeftEdge: loadOlder,
  onMove(isAtLatest) {
    element("latest").hidden = isAtLatest || isTable();
  },
});
const table = new Table(element("table").querySelector("tbody"));
const tape = new tapes.Tape(element("tape"));
const coins = new Coins(
  {
    list: element("coins"),
    none: element("no-coins"),
    search: element("search"),
    sorters: [...document.querySelectorAll("[data-sort]")],
  },
  {
    link: (coin) => address({ coin, interval: wanted.interval }),
    onChoose: (coin) => go({ ...wanted, coin }),
  },
);
const feed = new Feed([ALL_DAYS], {
  onState(state) {
    isConnected = state !== "reconnecting";
    element("connection").dataset.state = state;
    element("connection").textContent = STATES[state];
  },
  onOpen() {
    loadCoins();
    loadMarket();
  },
  onEvent: take,
});

setInterval(() => isConnected && loadCoins(), DAYS_EVERY_MS);
drawIntervals();

// --- The address

function fromAddress() {
  const query = new URLSearchParams(location.search);
  const interval = query.get("interval");
  return { coin: query.get("coin"), interval: INTERVALS.includes(interval) ? interval : "1m" };
}

function address({ coin, interval }) {
  return `?${new URLSearchParams({ coin, interval })}`;
}

function go(target) {
  if (target.coin === wanted.coin && target.interval === wanted.interval) return;
  window.history.pushState(null, "", address(target));
  wanted = target;
  show();
}

addEventListener("popstate", () => {
  wanted = fromAddress();
  show();
});

// --- What is shown

/** Show what is wanted, as soon as its coin is known. */
function show() {
  drawIntervals();
  if (!coins.size) {
    notify(element("no-trades").content.cloneNode(true));
    return;
  }
  if (wanted.coin === null) {
    wanted.coin = coins.busiest().name;
    window.history.replaceState(null, "", address(wanted));
  }
  const coin = coins.find(wanted.coin);
  if (!coin) {
    leave();
    tape.clear();
    coins.choose(null);
    market.reset(wanted.coin);
    notify(`There are no trades of ${wanted.coin} yet. The first one starts its chart.`);
    return;
  }
  if (shown?.coin === coin.name && shown.interval === wanted.interval) return;
  leave();
  shown = { coin: coin.name, interval: wanted.interval, candles: new Candles() };
  notify();
  market.reset(coin.name);
  chart.reset(shown.interval, coin.digits.price);
  table.clear();
  tape.clear();
  coins.choose(coin.name);
  feed.follow([ALL_DAYS, `${coin.name}@kline_${shown.interval}`, `${coin.name}@trade`], loadMarket);
}

function leave() {
  loading.abort();
  shown = null;
  hovered = null;
  dirtyFrom = Infinity;
  feed.follow([ALL_DAYS]);
}

/** Say something in the chart's place; without content, show the chart. */
function notify(...content) {
  element("notice").replaceChildren(...content);
  element("notice").hidden = !content.length;
  element("chart").inert = content.length > 0 || isTable();
  document.body.classList.toggle("empty", content.length > 0);
}

// --- What is asked

async function loadCoins() {
  try {
    coins.update(...(await Promise.all([history.coins(), history.days()])));
  } catch (error) {
    console.warn(`The coins could not be loaded: ${error.message}`);
    retry(loadCoins);
    return;
  }
  failures = 0;
  announced = new Set([...announced].filter((name) => !coins.has(name)));
  if (announced.size) {
    clearTimeout(again);
    again = setTimeout(() => isConnected && loadCoins(), COINS_AGAIN_MS);
  }
  coins.draw();
  show();
  paint();
}

/** Ask for candles, back to the oldest held, and trades: after this no hole is left. */
async function loadMarket() {
  if (!shown) return;
  loading.abort();
  loading = new AbortController();
  const { signal } = loading;
  const { coin, interval, candles } = shown;
  try {
    const oldest = candles.list[0]?.time ?? Infinity;
    const [page, trades] = await Promise.all([
      history.candlesBackTo(oldest, coin, interval, signal),
      history.trades(coin, tapes.HELD, signal),
    ]);
    signal.throwIfAborted();
    failures = 0;
    notify();
    tape.add(trades.map(tapes.fromRow));
    changed(candles.extend(page.candles, page.isFirst));
  } catch (error) {
    if (signal.aborted) return;
    console.warn(`The candles could not be loaded: ${error.message}`);
    if (!candles.newest) notify("The candles could not be loaded. Trying again …");
    retry(() => signal.aborted || loadMarket());
  }
}

/** Do again later, unless the connection is lost: its return begins everything anew. */
function retry(load) {
  setTimeout(() => isConnected && load(), delay(failures++, Math.random()));
}

async function loadOlder() {
  if (!shown || isLoadingOlder || shown.candles.isComplete) return;
  const { coin, interval, candles } = shown;
  if (!candles.list.length) return;
  const { signal } = loading;
  isLoadingOlder = true;
  try {
    const page = await history.candlesBefore(candles.list[0].time, coin, interval, signal);
    changed(candles.extend(page.candles, page.isFirst));
  } catch (error) {
    if (signal.aborted) return;
    console.warn(`Older candles could not be loaded: ${error.message}`);
    retry(() => signal.aborted || loadOlder());
  } finally {
    isLoadingOlder = false;
  }
}

// --- What comes by itself

function take(stream, data) {
  if (stream === ALL_DAYS) {
    const unknown = data.filter((day) => !coins.tick(day));
    coins.draw();
    unknown.forEach(({ s }) => announced.add(s));
    if (unknown.length) loadCoins();
  } else if (!shown) {
    return;
  } else if (stream === `${shown.coin}@kline_${shown.interval}`) {
    changed(shown.candles.amend(candleFromEvent(data.k)));
  } else if (stream === `${shown.coin}@trade`) {
    tape.add([tapes.fromEvent(data)]);
  }
  paint();
}

// --- What is drawn

function changed(from) {
  dirtyFrom = Math.min(dirtyFrom, from);
  paint();
}

/** Draw what has changed, with the next frame, but only so often. */
function paint() {
  isPaintDue = isPainting;
  if (isPainting) return;
  isPainting = true;
  requestAnimationFrame(() => {
    if (shown) drawMarket();
    setTimeout(() => {
      isPainting = false;
      if (isPaintDue) paint();
    }, PAINT_EVERY_MS);
  });
}

function drawMarket() {
  const coin = coins.find(shown.coin);
  const { candles, interval } = shown;
  const { list, newest } = candles;
  market.drawDay(coin, newest);
  tape.draw(coin.digits);
  chart.setDigits(coin.digits.price);
  if (!newest) return;
  if (dirtyFrom < list.length) {
    chart.draw(list, dirtyFrom);
    if (isTable()) table.draw(list, dirtyFrom, interval, coin.digits);
    market.drawSummary(coin, newest, interval);
  }
  dirtyFrom = Infinity;
  drawLegend();
}

/** Show the candle under the cursor, else the newest. */
function drawLegend() {
  const { candles, interval } = shown;
  const candle = candles.list.find(({ time }) => time === hovered) ?? candles.newest;
  market.drawLegend(candle, interval, coins.find(shown.coin).digits);
}

function drawIntervals() {
  const group = element("intervals");
  for (const interval of group.children.length ? [] : INTERVALS) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = interval;
    button.addEventListener("click", () => go({ ...wanted, interval }));
    group.append(button);
  }
  for (const button of group.children) {
    const isWanted = button.textContent === wanted.interval;
    button.setAttribute("aria-pressed", String(isWanted));
    if (isWanted) group.scrollLeft = button.offsetLeft - group.clientWidth / 2;
  }
}

// --- What the buttons do

function isTable() {
  return element("as-table").getAttribute("aria-pressed") === "true";
}

element("as-table").addEventListener("click", () => {
  const pressed = !isTable();
  element("as-table").setAttribute("aria-pressed", String(pressed));
  element("table").hidden = !pressed;
  element("chart").inert = pressed;
  element("latest").hidden = true;
  table.clear();
  changed(0);
});
element("table").addEventListener("scroll", ({ target }) => {
  if (target.scrollTop + 2 * target.clientHeight > target.scrollHeight) loadOlder();
});
element("latest").addEventListener("click", () => chart.showLatest());
document.addEventListener("themechange", () => chart.recolor(shown?.candles.list));
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.matches("input")) return;
  event.preventDefault();
  element("search").focus();
});
