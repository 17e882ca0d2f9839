// What the reader chooses under Settings, but the theme: its script runs before the page is drawn.
import { findPalette, findReader } from "./reader.js";

/** @import { Kept } from "./kept.js" */

const LANGUAGE = "language";
const COLORS = "colors";

/** @typedef {{ language: HTMLSelectElement, colors: HTMLSelectElement }} SettingsElements */

export class Settings {
  language;
  locale;
  #kept;

  /**
   * @param {SettingsElements} elements
   * @param {Kept} kept
   */
  constructor({ language, colors }, kept) {
    this.#kept = kept;
    // Where the storage is blocked, the state of the history lasts through the reload.
    const chosenLanguage = kept.read(LANGUAGE) ?? history.state?.[LANGUAGE];
    const reader = findReader(navigator.languages, chosenLanguage);
    this.language = reader.language;
    this.locale = reader.locale;
    document.documentElement.lang = reader.language;
    this.#color();

    choose(language, chosenLanguage);
    language.addEventListener("change", () => {
      kept.write(LANGUAGE, language.value);
      history.replaceState({ [LANGUAGE]: language.value }, "");
      location.reload(); // all that shows is in the address
    });
    choose(colors, kept.read(COLORS));
    colors.addEventListener("change", () => {
      kept.write(COLORS, colors.value);
      this.#color();
      document.dispatchEvent(new Event("themechange"));
    });
  }

  #color() {
    const palette = findPalette(navigator.languages, this.language, this.#kept.read(COLORS));
    document.documentElement.dataset.colors = palette;
  }
}

/**
 * @param {HTMLSelectElement} select its first option is for what is not chosen
 * @param {unknown} value
 */
function choose(select, value) {
  const index = [...select.options].findIndex((option) => option.value === value);
  select.selectedIndex = Math.max(0, index);
}
