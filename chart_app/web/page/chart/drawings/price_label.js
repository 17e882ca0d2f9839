// A price on the price axis.

/** @import { ISeriesPrimitiveAxisView } from "lightweight-charts" */
/** @import { Plot } from "./plot.js" */

/** @typedef {{ back: string, text: string }} LabelColors */

const OUT_OF_VIEW = -1000;

/** @implements {ISeriesPrimitiveAxisView} */
export class PriceLabel {
  #plot;
  #price;
  #colors;

  /**
   * @param {Plot} plot
   * @param {number} price
   * @param {() => LabelColors} colors
   */
  constructor(plot, price, colors) {
    this.#plot = plot;
    this.#price = price;
    this.#colors = colors;
  }

  coordinate() {
    return this.#plot.toY(this.#price) ?? OUT_OF_VIEW;
  }

  text() {
    return this.#plot.formatPrice(this.#price);
  }

  textColor() {
    return this.#colors().text;
  }

  backColor() {
    return this.#colors().back;
  }
}
