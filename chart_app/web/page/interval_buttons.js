// One button for each interval.
import { INTERVALS } from "./settings/intervals.js";

export class IntervalButtons {
  #group;
  /** @type {HTMLButtonElement[]} */
  #buttons;

  /**
   * @param {HTMLElement} group
   * @param {(interval: string) => void} onChoose
   */
  constructor(group, onChoose) {
    this.#group = group;
    this.#buttons = INTERVALS.map((interval) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = interval;
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
    for (const button of this.#buttons) {
      const isChosen = button.textContent === interval;
      button.setAttribute("aria-pressed", String(isChosen));
      if (isChosen) {
        this.#group.scrollLeft = button.offsetLeft - this.#group.clientWidth / 2;
      }
    }
  }
}
