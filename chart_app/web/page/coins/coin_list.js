// The list of coins with their last prices and changes, searched and sorted.
import { priceChange } from "../text/decimal_format.js";

/** @import { Formats } from "../text/formats.js" */
/** @import { Coin, Coins } from "./coins.js" */

/**
 * @typedef {object} CoinListElements
 * @property {HTMLElement} list
 * @property {HTMLElement} none shown where the search finds no coin
 * @property {HTMLInputElement} search
 * @property {HTMLElement[]} sorters buttons; `data-sort` is a key of ORDERS
 */

/**
 * @typedef {object} CoinListHandlers
 * @property {(coin: string) => string} link gives the address that shows a coin
 * @property {(coin: string) => void} onChoose gets the coin that was clicked
 */

const collator = new Intl.Collator("en", { numeric: true });

/** @typedef {(one: Coin, other: Coin) => number} Order */

/** @type {Order} */
const byName = (one, other) => collator.compare(one.name, other.name);
/** @param {Coin} coin */
const priceOf = ({ day }) => Number(day.lastPrice);
/** @param {Coin} coin */
const percentOf = ({ day }) => priceChange(day.openPrice, day.lastPrice).percent;

/** @type {Readonly<Record<string, Order>>} */
const ORDERS = {
  coin: byName,
  price: (one, other) => priceOf(other) - priceOf(one) || byName(one, other),
  change: (one, other) => percentOf(other) - percentOf(one) || byName(one, other),
};

export class CoinList {
  #list;
  #none;
  #coins;
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #search = "";
  #order = byName;
  /** @type {string | null} */
  #chosen = null;
  #link;
  #formats;

  /**
   * @param {Coins} coins
   * @param {CoinListElements} elements
   * @param {CoinListHandlers} handlers
   * @param {Formats} formats
   */
  constructor(coins, { list, none, search, sorters }, { link, onChoose }, formats) {
    this.#coins = coins;
    this.#list = list;
    this.#none = none;
    this.#link = link;
    this.#formats = formats;
    search.addEventListener("input", () => {
      this.#search = search.value.trim().toLowerCase();
      this.draw();
    });
    for (const sorter of sorters) {
      sorter.addEventListener("click", () => {
        for (const other of sorters) other.setAttribute("aria-pressed", String(other === sorter));
        this.#order = ORDERS[sorter.dataset.sort ?? ""] ?? byName;
        this.draw();
      });
    }
    list.addEventListener("click", (event) => {
      const coin = event.target instanceof Element && event.target.closest("a")?.dataset.coin;
      const isForAnotherTab = event.ctrlKey || event.metaKey || event.shiftKey;
      if (typeof coin !== "string" || isForAnotherTab) return;
      event.preventDefault();
      onChoose(coin);
    });
  }

  /** @param {string | null} name */
  choose(name) {
    this.#chosen = name;
    this.draw();
  }

  draw() {
    const shown = this.#coins.list
      .filter(({ name }) => name.toLowerCase().includes(this.#search))
      .sort(this.#order);
    const items = shown.map((coin) => this.#draw(coin));
    const { children } = this.#list;
    const isSame =
      items.length === children.length && items.every((item, index) => item === children[index]);
    if (!isSame) {
      const focused = document.activeElement;
      this.#list.replaceChildren(...items);
      if (focused instanceof HTMLElement && this.#list.contains(focused)) {
        focused.focus({ preventScroll: true });
      }
    }
    this.#none.hidden = !this.#search || shown.length > 0;
  }

  /** @param {Coin} coin */
  #draw(coin) {
    const row = this.#rows.get(coin.name) ?? new Row(coin.name);
    this.#rows.set(coin.name, row);
    row.draw(coin, this.#link(coin.name), coin.name === this.#chosen, this.#formats);
    return row.item;
  }
}

class Row {
  item = document.createElement("li");
  #link = document.createElement("a");
  #price = document.createElement("span");
  #change = document.createElement("span");

  /** @param {string} coin */
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

  /**
   * @param {Coin} coin
   * @param {string} address
   * @param {boolean} isChosen
   * @param {Formats} formats
   */
  draw({ day, scales }, address, isChosen, formats) {
    const { direction, text } = formats.change(day.openPrice, day.lastPrice);
    this.#price.textContent = formats.decimal(day.lastPrice, scales.price);
    this.#change.textContent = text;
    this.#change.dataset.direction = direction;
    this.#link.href = address;
    if (isChosen) this.#link.setAttribute("aria-current", "true");
    else this.#link.removeAttribute("aria-current");
  }
}
