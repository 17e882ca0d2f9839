// The list of coins: searched, sorted, starred.
import { CoinGrid } from "./coin_grid.js";
import { keepOrder, parseOrder, sortCoins, turnOrder } from "./coin_order.js";
import { CoinSearch } from "./coin_search.js";
import { Favorites } from "./favorites.js";

/** @import { Kept } from "../settings/kept.js" */
/** @import { Formats } from "../text/formats.js" */
/** @import { Say } from "../text/texts.js" */
/** @import { Coins } from "./coins.js" */

/**
 * @typedef {object} CoinListElements
 * @property {HTMLElement} grid the heads of its columns have buttons with `data-sort`
 * @property {HTMLElement} rows
 * @property {HTMLElement} none says why there are no rows
 * @property {HTMLInputElement} search
 * @property {HTMLElement} found says what the search has found, to screen readers
 * @property {HTMLElement} onlyFavorites a button
 */

/**
 * @typedef {object} CoinListHandlers
 * @property {(coin: string) => string} link gives the address that shows a coin
 * @property {(time: number) => string} pastDate gives the date of a time (ms) that is long ago, else ""
 * @property {(coin: string) => void} onChoose gets the coin that the reader wants to see
 */

/** @typedef {{ formats: Formats, say: Say, kept: Kept }} CoinListTools */

const KEPT_ORDER = "coinOrder";
const KEPT_FILTER = "onlyFavorites";

export class CoinList {
  #coins;
  #elements;
  #tools;
  #favorites;
  #grid;
  #search;
  #order;
  #isOnlyFavorites;
  /**
   * The names of the coins in the list, in its order.
   * @type {string[]}
   */
  #names = [];

  /**
   * @param {Coins} coins
   * @param {CoinListElements} elements
   * @param {CoinListHandlers} handlers
   * @param {CoinListTools} tools
   */
  constructor(coins, elements, { link, pastDate, onChoose }, tools) {
    this.#coins = coins;
    this.#elements = elements;
    this.#tools = tools;
    this.#favorites = new Favorites(tools.kept);
    this.#order = parseOrder(tools.kept.read(KEPT_ORDER));
    this.#isOnlyFavorites = tools.kept.read(KEPT_FILTER) === true;
    const contentOf = (/** @type {string} */ name) => {
      const coin = coins.get(name);
      return (
        coin && {
          coin,
          address: link(name),
          isFavorite: this.#favorites.has(name),
          lastDate: pastDate(coin.day.closeTime),
        }
      );
    };
    const onStar = (/** @type {string} */ name) => this.#star(name);
    const onLeave = () => this.draw();
    const onExit = () => this.#search.focus();
    this.#grid = new CoinGrid(elements, { contentOf, onChoose, onStar, onLeave, onExit }, tools);
    this.#search = new CoinSearch(elements.search, {
      onInput: () => this.#find(),
      onEnter: () => this.#names[0] !== undefined && onChoose(this.#names[0]),
      onDown: () => this.#grid.focus(),
      onUp: () => this.#grid.focusLast(),
    });
    this.#listen();
    this.#drawTools();
  }

  #listen() {
    this.#elements.grid.addEventListener("click", ({ target }) => {
      const button = target instanceof Element && target.closest("[data-sort]");
      if (!(button instanceof HTMLElement)) return;
      this.#order = turnOrder(this.#order, button.dataset.sort);
      this.#tools.kept.write(KEPT_ORDER, this.#order);
      this.#rearrange();
    });
    this.#elements.onlyFavorites.addEventListener("click", () => {
      this.#isOnlyFavorites = !this.#isOnlyFavorites;
      this.#tools.kept.write(KEPT_FILTER, this.#isOnlyFavorites);
      this.#rearrange();
    });
  }

  /** @param {string | null} name */
  choose(name) {
    this.#grid.choose(name);
  }

  /** Draw what has changed; a row that the reader points at stays where it is. */
  draw() {
    const { grid } = this.#elements;
    const isFirst = grid.ariaBusy === "true" && this.#coins.isLoaded;
    grid.ariaBusy = String(!this.#coins.isLoaded);
    this.#draw();
    if (isFirst) this.#grid.showChosen();
  }

  #draw() {
    if (this.#grid.isHeld) {
      const wanted = this.#wanted().map(({ name }) => name);
      this.#names = keepOrder(this.#names, wanted, (name) => this.#coins.has(name));
      this.#grid.show(this.#names);
    } else {
      this.#arrange();
    }
  }

  /** The reader wants another order or other coins. */
  #rearrange() {
    this.#drawTools();
    this.#arrange();
    this.#grid.showTop();
  }

  #find() {
    const { text } = this.#search;
    this.#arrange();
    this.#grid.showTop();
    this.#grid.activate(text ? (this.#names[0] ?? null) : null);
    if (text) this.#grid.draw();
    else this.#grid.showChosen();
    this.#elements.found.textContent = text && this.#foundText();
  }

  #foundText() {
    const [first] = this.#names;
    if (first === undefined) return this.#noneText();
    const { formats, say } = this.#tools;
    return say("coinsFound", { count: formats.decimal(String(this.#names.length), 0), first });
  }

  #noneText() {
    const { say } = this.#tools;
    if (!this.#coins.isLoaded) return say("loading");
    if (!this.#isOnlyFavorites) return say("noCoinFound");
    return say(this.#search.text ? "noFavoriteFound" : "noFavorites");
  }

  #arrange() {
    const { none } = this.#elements;
    this.#names = sortCoins(this.#wanted(), this.#order).map(({ name }) => name);
    const isEmpty = this.#coins.isLoaded && !this.#search.text && !this.#isOnlyFavorites;
    none.hidden = this.#names.length > 0 || isEmpty;
    none.textContent = this.#noneText();
    this.#grid.show(this.#names);
  }

  #wanted() {
    const { text } = this.#search;
    if (!this.#coins.isLoaded) return []; // one alone would look like all
    return this.#coins.list.filter(
      ({ name }) =>
        (!this.#isOnlyFavorites || this.#favorites.has(name)) &&
        (!text || name.toLowerCase().includes(text)),
    );
  }

  /** @param {string} name */
  #star(name) {
    this.#favorites.toggle(name);
    this.draw();
  }

  #drawTools() {
    const { grid, onlyFavorites } = this.#elements;
    onlyFavorites.ariaPressed = String(this.#isOnlyFavorites);
    const { column, isDescending } = this.#order;
    for (const button of grid.querySelectorAll("[data-sort]")) {
      const head = button.closest("[role=columnheader]");
      const isSorted = button.getAttribute("data-sort") === column;
      const direction = isDescending ? "descending" : "ascending";
      head?.setAttribute("aria-sort", isSorted ? direction : "none");
    }
  }
}
