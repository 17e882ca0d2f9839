// One button for each interval.
import { INTERVALS } from "./settings/intervals.js";
import { formatInterval } from "./text/interval_format.js";

/** @import { Say } from "./text/texts.js" */

export class IntervalButtons {
  #group;
  /** @type {HTMLButtonElement[]} */
  #buttons;

  /**
   * @param {HTMLElement} group
   * @param {Say} say
   * @param {(interval: string) => void} onChoose
   */
  constructor(group, say, onChoose) {
    this.#group = group;
    this.#buttons = INTERVALS.map((interval) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = formatInterval(interval, say);
      button.addEventListener("click", () => onChoose(interval));
      return button;
    });
    group.append(...this.#buttons);
  }

  /**
   * Mark the chosen interval and scroll it into view.
   * @param {string} interval
   */
  choose(interval) {
    for (const [index, button] of this.#buttons.entries()) {
      const isChosen = INTERVALS[index] === interval;
      button.setAttribute("aria-pressed", String(isChosen));
      if (isChosen) {
        this.#group.scrollLeft = button.offsetLeft - this.#group.clientWidth / 2;
      }
    }
  }
}
