// The row of tools above the chart: how it is drawn, and what of it is shown.

/** @import { Selection } from "./settings/address.js" */

/**
 * Selects by the field of the address that they choose; their options are its values.
 * @typedef {Record<"style" | "scale" | "zone", HTMLSelectElement>} ToolSelects
 */

export class ChartTools {
  #selects;

  /**
   * @param {ToolSelects} selects
   * @param {(changes: Partial<Selection>) => void} onChoose
   */
  constructor(selects, onChoose) {
    this.#selects = selects;
    for (const [field, select] of Object.entries(selects)) {
      select.addEventListener("change", () => onChoose({ [field]: select.value }));
    }
  }

  /**
   * Show what is chosen.
   * @param {Selection} selection
   */
  choose({ style, scale, zone }) {
    this.#selects.style.value = style;
    this.#selects.scale.value = scale;
    this.#selects.zone.value = zone;
  }
}
