// The popover in which alerts are added and removed.
import { isPrice } from "./alert.js";

/** @import { Say } from "../text/texts.js" */
/** @import { Alert } from "./alert.js" */
/** @import { AlertElements } from "./alert_elements.js" */

/**
 * @typedef {object} AlertPanelHandlers
 * @property {() => { coin: string, price: string, scale: number } | null} onOpen gets what the form begins with
 * @property {(price: string) => string | undefined} onAdd gets what is wrong with it
 * @property {(alert: Alert) => void} onRemove
 */

export class AlertPanel {
  #elements;
  #say;
  #onOpen;
  #onAdd;
  #onRemove;

  /**
   * @param {AlertElements} elements
   * @param {Say} say
   * @param {AlertPanelHandlers} handlers
   */
  constructor(elements, say, { onOpen, onAdd, onRemove }) {
    this.#elements = elements;
    this.#say = say;
    this.#onOpen = onOpen;
    this.#onAdd = onAdd;
    this.#onRemove = onRemove;
    elements.panel.addEventListener("beforetoggle", ({ newState }) => {
      if (newState === "open") this.#begin();
    });
    elements.price.addEventListener("focus", () => elements.price.select());
    elements.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  open() {
    this.#elements.panel.showPopover();
  }

  /**
   * Those of the shown coin first.
   * @param {{ alert: Alert, text: string }[]} items
   */
  draw(items) {
    const { list, price } = this.#elements;
    const hadFocus = list.contains(document.activeElement);
    list.replaceChildren(...items.map(({ alert, text }) => this.#row(alert, text)));
    if (hadFocus) (list.querySelector("button") ?? price).focus();
  }

  #begin() {
    const { label, price, error } = this.#elements;
    const start = this.#onOpen();
    error.textContent = "";
    if (!start) return;
    label.textContent = this.#say("alertPrice", { coin: start.coin });
    price.step = (10 ** -start.scale).toFixed(start.scale);
    price.value = start.price;
  }

  #submit() {
    const { price, error, panel } = this.#elements;
    const wrong = isPrice(price.value) ? this.#onAdd(price.value) : this.#say("alertNoPrice");
    error.textContent = wrong ?? "";
    if (wrong === undefined) panel.hidePopover();
    else price.focus();
  }

  /**
   * @param {Alert} alert
   * @param {string} text
   */
  #row(alert, text) {
    const row = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = this.#say("delete");
    button.setAttribute("aria-label", `${this.#say("delete")}: ${text}`);
    button.addEventListener("click", () => this.#onRemove(alert));
    row.append(text, button);
    return row;
  }
}
