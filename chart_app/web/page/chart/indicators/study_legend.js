// The name of an indicator with its values at one candle, in the colors of its lines.

/** @import { Formula } from "./columns.js" */
/** @import { Plot } from "./kinds.js" */

export class StudyLegend {
  element = span("study");
  #values;

  /**
   * @param {string} name
   * @param {readonly Plot[]} plots
   * @param {Formula["columns"]} columns
   */
  constructor(name, plots, columns) {
    this.element.append(span("name", name));
    this.#values = plots.map((plot) => {
      const element = span();
      this.element.append(" ", element);
      return { element, plot, column: columns[plot.column] ?? [] };
    });
  }

  /** @param {readonly number[]} numbers of the study's own colors, in the style sheet */
  recolor(numbers) {
    for (const { element, plot } of this.#values) {
      element.className = plot.color === null ? "" : `color-study-${numbers[plot.color]}`;
    }
  }

  /**
   * @param {number} index of the candle
   * @param {(value: number) => string} format
   */
  draw(index, format) {
    for (const { element, plot, column } of this.#values) {
      const value = column[index] ?? NaN;
      element.textContent = Number.isFinite(value) ? format(value) : "–";
      if (plot.color === null) element.dataset.direction = value < 0 ? "down" : "up";
    }
  }
}

/**
 * @param {string} [className]
 * @param {string} [text]
 */
function span(className = "", text = "") {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}
