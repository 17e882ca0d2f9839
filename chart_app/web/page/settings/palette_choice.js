// The colors of up and down that the reader chooses, until then those of the region.
import { chooseOption } from "../elements.js";
import { findPalette } from "./reader.js";

/** @import { Kept } from "./kept.js" */

const NAME = "colors";

export class PaletteChoice {
  #kept;
  #language;

  /**
   * @param {HTMLSelectElement} select
   * @param {Kept} kept
   * @param {string} language that the page is in
   */
  constructor(select, kept, language) {
    this.#kept = kept;
    this.#language = language;
    this.#apply();
    chooseOption(select, kept.read(NAME));
    select.addEventListener("change", () => {
      kept.write(NAME, select.value);
      this.#apply();
      document.dispatchEvent(new Event("themechange"));
    });
  }

  #apply() {
    const palette = findPalette(navigator.languages, this.#language, this.#kept.read(NAME));
    document.documentElement.dataset.colors = palette;
  }
}
