// A coin's row in the list.

/** @import { Formats } from "../text/formats.js" */
/** @import { Say } from "../text/texts.js" */
/** @import { Coin } from "./coins.js" */

/**
 * @typedef {object} RowState
 * @property {number} index in the list
 * @property {number} top in px
 * @property {string} address that shows the coin
 * @property {boolean} isChosen
 * @property {boolean} isFavorite
 * @property {string} lastDate when the coin was traded last, where that is long ago; else ""
 * @property {"link" | "star" | null} tabStop what of the row is reached by Tab
 */

const FIRST_ROW = 2; // as ARIA counts: the heads of the columns are the first
// Of characters: more are written smaller; more still of a price as a size, with all digits in the title.
const LONG = 11;
const MAX_PRICE = 16;

export class CoinRow {
  element = cell("row");
  star = document.createElement("button");
  link = document.createElement("a");
  #price = cell("gridcell", "number");
  #change = cell("gridcell", "number change");
  #turnover = cell("gridcell", "number turnover");
  /** @type {Coin["day"] | undefined} */
  #day;
  #lastDate = "";

  /**
   * @param {string} coin
   * @param {Say} say
   */
  constructor(coin, say) {
    this.element.className = "row";
    this.element.dataset.coin = coin;
    this.star.type = "button";
    this.star.setAttribute("aria-label", say("favoriteOf", { coin }));
    this.link.textContent = coin;
    this.link.title = coin;
    const starCell = cell("gridcell", "star");
    starCell.append(this.star);
    const name = cell("rowheader", "coin");
    name.append(this.link);
    this.element.append(starCell, name, this.#price, this.#change, this.#turnover);
  }

  /**
   * @param {Coin} coin
   * @param {RowState} state
   * @param {Formats} formats
   */
  draw(coin, { index, top, address, isChosen, isFavorite, lastDate, tabStop }, formats) {
    if (coin.day !== this.#day || lastDate !== this.#lastDate) {
      this.#drawFigures(coin, lastDate, formats);
    }
    this.#day = coin.day;
    this.#lastDate = lastDate;
    this.element.style.top = `${top}px`;
    this.element.ariaRowIndex = String(index + FIRST_ROW);
    this.star.ariaPressed = String(isFavorite);
    this.star.tabIndex = tabStop === "star" ? 0 : -1;
    this.link.tabIndex = tabStop === "link" ? 0 : -1;
    this.link.href = address;
    if (isChosen) this.link.setAttribute("aria-current", "true");
    else this.link.removeAttribute("aria-current");
  }

  /**
   * @param {Coin} coin
   * @param {string} lastDate in place of a change that is none of today
   * @param {Formats} formats
   */
  #drawFigures({ day, scales }, lastDate, formats) {
    const price = formats.decimal(day.lastPrice, scales.price);
    const isCompact = price.length > MAX_PRICE;
    this.#price.textContent = isCompact ? formats.compact(day.lastPrice) : price;
    this.#price.title = isCompact ? price : "";
    this.#price.classList.toggle("long", !isCompact && price.length >= LONG);
    const { direction, text } = lastDate
      ? { direction: "flat", text: lastDate }
      : formats.change(day.openPrice, day.lastPrice);
    this.element.classList.toggle("old", lastDate !== "");
    this.#change.textContent = text;
    this.#change.title = text;
    this.#change.classList.toggle("long", text.length >= LONG);
    this.#change.dataset.direction = direction;
    this.#turnover.textContent = formats.compact(day.quoteVolume);
  }
}

/**
 * @param {string} role
 * @param {string} className
 */
function cell(role, className = "") {
  const element = document.createElement("div");
  element.role = role;
  element.className = className;
  return element;
}
