// The list of coins: last price and change, searched and sorted.
import { change, format, places } from "./decimal.js";

export class Coins {
  #list;
  #none;
  #coins = new Map(); // by name
  #rows = new Map();
  #search = "";
  #sort = "coin";
  #chosen = null;
  #link;

  /** `link` gives a coin's address; `onChoose` gets the name of the one clicked. */
  constructor({ list, none, search, sorters }, { link, onChoose }) {
    this.#list = list;
    this.#none = none;
    this.#link = link;
    search.addEventListener("input", () => {
      this.#search = search.value.trim().toLowerCase();
      this.draw();
    });
    for (const sorter of sorters) {
      sorter.addEventListener("click", () => {
        for (const other of sorters) other.setAttribute("aria-pressed", String(other === sorter));
        this.#sort = sorter.dataset.sort;
        this.draw();
      });
    }
    list.addEventListener("click", (event) => {
      const row = event.target.closest("a");
      if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab
      event.preventDefault();
      onChoose(row.dataset.coin);
    });
  }

  get size() {
    return this.#coins.size;
  }

  has(name) {
    return this.#coins.has(name);
  }

  /** The coin of a name as written, else without regard to case. */
  find(name) {
    const lower = name.toLowerCase();
    return (
      this.#coins.get(name) ??
      [...this.#coins.values()].find((coin) => coin.name.toLowerCase() === lower)
    );
  }

  /** The coin with the most trades of its last day. */
  busiest() {
    return [...this.#coins.values()].reduce((one, other) =>
      other.day.count > one.day.count ? other : one,
    );
  }

  /** Take what exchangeInfo and ticker/24hr say. */
  update(symbols, days) {
    const dayOf = new Map(days.map((day) => [day.symbol, day]));
    for (const { symbol, filters } of symbols) {
      if (!dayOf.has(symbol)) continue; // it came between the two answers; the next ones have it
      const size = (type, name) => filters.find(({ filterType }) => filterType === type)[name];
      this.#coins.set(symbol, {
        name: symbol,
        digits: {
          price: places(size("PRICE_FILTER", "tickSize")),
          amount: places(size("LOT_SIZE", "stepSize")),
        },
        day: dayOf.get(symbol),
      });
    }
  }

  /** Take an event of !miniTicker@arr; tell whether the coin is known. */
  tick({ s, c, o, h, l, v, q }) {
    const coin = this.#coins.get(s);
    if (!coin) return false;
    Object.assign(coin.day, {
      lastPrice: c,
      openPrice: o,
      highPrice: h,
      lowPrice: l,
      volume: v,
      quoteVolume: q,
    });
    return true;
  }

  choose(name) {
    this.#chosen = name;
    this.draw();
  }

  draw() {
    const shown = [...this.#coins.values()]
      .filter(({ name }) => name.toLowerCase().includes(this.#search))
      .sort(ORDERS[this.#sort]);
    const rows = shown.map((coin) => this.#row(coin));
    const isSame = rows.every((row, index) => this.#list.children[index] === row.item);
    if (!isSame || rows.length !== this.#list.children.length) {
      const focused = document.activeElement;
      this.#list.replaceChildren(...rows.map(({ item }) => item));
      if (this.#list.contains(focused)) focused.focus({ preventScroll: true });
    }
    this.#none.hidden = !this.#search || shown.length > 0;
  }

  #row(coin) {
    let row = this.#rows.get(coin.name);
    if (!row) {
      row = new Row(coin.name);
      this.#rows.set(coin.name, row);
    }
    row.draw(coin, this.#link(coin.name), coin.name === this.#chosen);
    return row;
  }
}

const names = new Intl.Collator("en", { numeric: true });
const byName = (one, other) => names.compare(one.name, other.name);
const percent = ({ day }) => change(day.openPrice, day.lastPrice).percent;

const ORDERS = {
  coin: byName,
  price: (one, other) => other.day.lastPrice - one.day.lastPrice || byName(one, other),
  change: (one, other) => percent(other) - percent(one) || byName(one, other),
};

class Row {
  item = document.createElement("li");
  #link = document.createElement("a");
  #price = document.createElement("span");
  #change = document.createElement("span");

  constructor(coin) {
    const name = document.createElement("span");
    name.className = "coin";
    name.textContent = coin;
    name.title = coin;
    this.#price.className = "number";
    this.#change.className = "number change";
    this.#link.dataset.coin = coin;
    this.#link.append(name, this.#price, this.#change);
    this.item.append(this.#link);
  }

  draw({ day, digits }, address, isChosen) {
    const { direction, text } = change(day.openPrice, day.lastPrice);
    this.#price.textContent = format(day.lastPrice, digits.price);
    this.#change.textContent = text;
    this.#change.dataset.direction = direction;
    this.#link.href = address;
    if (isChosen) this.#link.setAttribute("aria-current", "true");
    else this.#link.removeAttribute("aria-current");
  }
}
