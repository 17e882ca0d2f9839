// The rows of the list as an ARIA grid: only those in view are in the document, arrows go from row to row.
import { CoinRow } from "./coin_row.js";
import { rowsInView, scrollTopFor } from "./list_window.js";

/** @import { Formats } from "../text/formats.js" */
/** @import { Say } from "../text/texts.js" */
/** @import { Coin } from "./coins.js" */

/**
 * @typedef {object} CoinGridElements
 * @property {HTMLElement} grid scrolls
 * @property {HTMLElement} rows below the heads of its columns
 */

/** @typedef {{ coin: Coin, address: string, isFavorite: boolean, lastDate: string }} CoinRowContent */

/**
 * @typedef {object} CoinGridHandlers
 * @property {(name: string) => CoinRowContent | undefined} contentOf a coin that is there
 * @property {(name: string) => void} onChoose
 * @property {(name: string) => void} onStar
 * @property {() => void} onLeave pointer and focus are no longer in the rows
 * @property {() => void} onExit the keyboard wants to go above the first row
 */

/** @typedef {{ formats: Formats, say: Say }} Wording */

export class CoinGrid {
  #grid;
  #rows;
  #handlers;
  #wording;
  /** @type {readonly string[]} */
  #names = [];
  /**
   * The rows that are in the document, by coin.
   * @type {Map<string, CoinRow>}
   */
  #drawn = new Map();
  #rowHeight = 1;
  /** @type {string | null} */
  #chosen = null;
  /**
   * The coin whose row has the focus, or gets it by Tab.
   * @type {string | null}
   */
  #active = null;
  #isStarActive = false;
  #isPointerInside = false;

  /**
   * @param {CoinGridElements} elements
   * @param {CoinGridHandlers} handlers
   * @param {Wording} wording
   */
  constructor({ grid, rows }, handlers, wording) {
    this.#grid = grid;
    this.#rows = rows;
    this.#handlers = handlers;
    this.#wording = wording;
    grid.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(grid);
    this.#listenToPointer();
    this.#listenToFocus();
    rows.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Whether the reader points at a row, which then is not to move. */
  get isHeld() {
    return this.#isPointerInside || this.#rows.querySelector(":focus-visible") !== null;
  }

  /** @param {readonly string[]} names of coins, in order */
  show(names) {
    this.#names = names;
    this.draw();
  }

  /** @param {string | null} name of the coin that the page shows; its row is scrolled into view */
  choose(name) {
    this.#chosen = name;
    this.activate(name);
    this.showChosen();
  }

  showChosen() {
    const index = this.#names.indexOf(this.#chosen ?? "");
    if (index >= 0) this.#grid.scrollTop = scrollTopFor(index, this.#view);
    this.draw();
  }

  showTop() {
    this.#grid.scrollTop = 0;
  }

  /** @param {string | null} name of the coin whose row is to have the focus next */
  activate(name) {
    this.#active = name;
    this.#isStarActive = false;
  }

  /** Move the focus to the row that had it last, was chosen or was activated. */
  focus() {
    this.#focusRow(this.#activeIndex);
  }

  focusLast() {
    this.#focusRow(this.#names.length - 1);
  }

  draw() {
    const style = getComputedStyle(this.#grid);
    this.#rowHeight = Number.parseFloat(style.getPropertyValue("--row-height"));
    const hadFocus = this.#rows.contains(document.activeElement);
    const indices = this.#indices();
    const kept = new Set(indices.map((index) => this.#names[index]));
    for (const [name, row] of this.#drawn) {
      if (kept.has(name)) continue;
      row.element.remove();
      this.#drawn.delete(name);
    }
    for (const [position, index] of indices.entries()) this.#drawRow(index, position);
    this.#rows.style.height = `${this.#names.length * this.#rowHeight}px`;
    this.#grid.ariaRowCount = String(this.#names.length + 1);
    if (hadFocus && !this.#rows.contains(document.activeElement)) this.focus();
  }

  /** Of the rows that are drawn: those in view and the one that Tab goes to. */
  #indices() {
    const { from, to } = rowsInView(this.#names.length, this.#view);
    const indices = Array.from({ length: to - from }, (_, row) => from + row);
    const active = this.#activeIndex;
    if (active < from) indices.unshift(active);
    if (active >= to && active < this.#names.length) indices.push(active);
    return indices;
  }

  /**
   * @param {number} index
   * @param {number} position among the rows in the document
   */
  #drawRow(index, position) {
    const name = this.#names[index] ?? "";
    const content = this.#handlers.contentOf(name);
    if (!content) return;
    const row = this.#drawn.get(name) ?? new CoinRow(name, this.#wording.say);
    this.#drawn.set(name, row);
    const place = this.#rows.children[position] ?? null;
    if (place !== row.element) this.#rows.insertBefore(row.element, place);
    const state = {
      index,
      top: index * this.#rowHeight,
      address: content.address,
      isChosen: name === this.#chosen,
      isFavorite: content.isFavorite,
      lastDate: content.lastDate,
      tabStop: index === this.#activeIndex ? this.#activeControl : null,
    };
    row.draw(content.coin, state, this.#wording.formats);
  }

  get #view() {
    const head = this.#rows.offsetTop;
    const { scrollTop, clientHeight } = this.#grid;
    return { rowHeight: this.#rowHeight, scrollTop, height: clientHeight - head };
  }

  get #activeIndex() {
    return Math.max(0, this.#names.indexOf(this.#active ?? ""));
  }

  /** @returns {"star" | "link"} */
  get #activeControl() {
    return this.#isStarActive ? "star" : "link";
  }

  #listenToPointer() {
    const rows = this.#rows;
    rows.addEventListener("click", (event) => {
      const isForAnotherTab = event.ctrlKey || event.metaKey || event.shiftKey;
      const coin = coinOf(event.target);
      if (coin === undefined || isForAnotherTab) return;
      event.preventDefault();
      if (isStar(event.target)) this.#handlers.onStar(coin);
      else this.#handlers.onChoose(coin);
    });
    rows.addEventListener("pointerenter", () => {
      this.#isPointerInside = true;
    });
    rows.addEventListener("pointerleave", () => {
      this.#isPointerInside = false;
      this.#handlers.onLeave();
    });
  }

  #listenToFocus() {
    this.#rows.addEventListener("focusin", ({ target }) => {
      this.#active = coinOf(target) ?? null;
      this.#isStarActive = isStar(target);
      this.draw();
    });
    this.#rows.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget instanceof Node && this.#rows.contains(relatedTarget)) return;
      setTimeout(() => this.#handlers.onLeave()); // once the focus is where it goes
    });
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const index = this.#activeIndex;
    const page = Math.max(1, Math.floor(this.#view.height / this.#rowHeight) - 1);
    /** @type {Record<string, () => void>} */
    const actions = {
      ArrowDown: () => this.#focusRow(index + 1),
      ArrowUp: () => (index > 0 ? this.#focusRow(index - 1) : this.#handlers.onExit()),
      PageDown: () => this.#focusRow(index + page),
      PageUp: () => this.#focusRow(index - page),
      Home: () => this.#focusRow(0),
      End: () => this.focusLast(),
      ArrowLeft: () => this.#focusRow(index, true),
      ArrowRight: () => this.#focusRow(index, false),
      Escape: () => this.#handlers.onExit(),
    };
    const act = actions[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /**
   * @param {number} index beyond the ends: the row at that end
   * @param {boolean} isStar
   */
  #focusRow(index, isStar = this.#isStarActive) {
    const name = this.#names[Math.min(Math.max(index, 0), this.#names.length - 1)];
    if (name === undefined) return;
    this.#active = name;
    this.#isStarActive = isStar;
    this.draw();
    this.#drawn.get(name)?.[this.#activeControl].focus();
  }
}

/** @param {EventTarget | null} target */
function coinOf(target) {
  const row = target instanceof Element && target.closest("[data-coin]");
  return row instanceof HTMLElement ? row.dataset.coin : undefined;
}

/** @param {EventTarget | null} target */
const isStar = (target) => target instanceof Element && target.closest("button") !== null;
