// The language that the reader chooses, until then the browser's.
import { chooseOption } from "../elements.js";
import { findReader } from "./reader.js";

/** @import { Kept } from "./kept.js" */

const NAME = "language";

export class LanguageChoice {
  /** One of `LANGUAGE_TAGS`. */
  language;
  /** Of numbers and times. */
  locale;

  /**
   * @param {HTMLSelectElement} select
   * @param {Kept} kept
   */
  constructor(select, kept) {
    // Where the storage is blocked, the state of the history lasts through reloads.
    const chosen = kept.read(NAME) ?? history.state?.[NAME];
    const { language, locale } = findReader(navigator.languages, chosen);
    this.language = language;
    this.locale = locale;
    document.documentElement.lang = language;
    chooseOption(select, chosen);
    select.addEventListener("change", () => {
      kept.write(NAME, select.value);
      history.replaceState({ [NAME]: select.value }, "");
      location.reload(); // all that shows is in the address
    });
  }
}
