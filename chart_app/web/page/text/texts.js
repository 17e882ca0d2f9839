// What the page says, in the language of its reader.
import { EN } from "./en.js";
import { KO } from "./ko.js";

/** @typedef {keyof typeof EN} TextName */
/** @typedef {Readonly<Record<TextName, string>>} Texts */

/** @type {Readonly<Record<string, Texts>>} */
const LANGUAGES = { en: EN, ko: KO };
export const LANGUAGE_TAGS = Object.keys(LANGUAGES);
const DEFAULT_LANGUAGE = "en";

/**
 * "ko" of "ko-KR".
 * @param {string} locale
 */
export const languageOf = (locale) => locale.split("-", 1)[0]?.toLowerCase() ?? "";

/**
 * The first of a reader's languages that the page has.
 * @param {readonly string[]} locales as in `navigator.languages`
 */
export function chooseLanguage(locales) {
  const wanted = locales.map(languageOf);
  return wanted.find((language) => LANGUAGE_TAGS.includes(language)) ?? DEFAULT_LANGUAGE;
}

/**
 * @typedef {(name: TextName, values?: Readonly<Record<string, string>>) => string} Say
 */

/**
 * A function that gives a text; `{name}` in it is replaced by the value of that name.
 * @param {string} language one of chooseLanguage
 * @returns {Say}
 */
export function textsIn(language) {
  const texts = LANGUAGES[language] ?? EN;
  return (name, values = {}) =>
    texts[name].replace(/\{(\w+)\}/g, (_, value) => values[value] ?? "");
}

/**
 * Put the texts into all elements that name them: `data-text="name"` for the content,
 * `data-text-title="name"` for the attribute `title`, and so on for ATTRIBUTES.
 * @param {ParentNode} root
 * @param {Say} say
 */
export function fillTexts(root, say) {
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = say(/** @type {TextName} */ (element.getAttribute("data-text")));
  }
  for (const attribute of ATTRIBUTES) {
    for (const element of root.querySelectorAll(`[data-text-${attribute}]`)) {
      const name = /** @type {TextName} */ (element.getAttribute(`data-text-${attribute}`));
      element.setAttribute(attribute, say(name));
    }
  }
}

const ATTRIBUTES = ["title", "placeholder", "aria-label", "content"];
