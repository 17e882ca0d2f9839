// The reader's language, locale and colors, of what is chosen and of what the browser says.
import { chooseLocale } from "../text/formats.js";
import { chooseLanguage, LANGUAGE_TAGS, languageOf } from "../text/texts.js";

export const PALETTES = ["green-red", "red-blue", "blue-orange"];

/** Where red is up and green, if anything, is down. */
const RED_UP_REGIONS = ["KR", "CN", "TW", "JP"];

/**
 * What is chosen may be anything: it was kept.
 * @param {readonly string[]} browserLocales as in `navigator.languages`
 * @param {unknown} chosen a language
 */
export function findReader(browserLocales, chosen) {
  const language = LANGUAGE_TAGS.find((known) => known === chosen);
  if (!language) {
    return { language: chooseLanguage(browserLocales), locale: chooseLocale(browserLocales) };
  }
  const ofLanguage = browserLocales.filter((locale) => languageOf(locale) === language);
  return { language, locale: chooseLocale([...ofLanguage, language]) };
}

/**
 * The palette that is chosen, else the usual one of the reader's place.
 * @param {readonly string[]} browserLocales as in `navigator.languages`
 * @param {string} language that the page is in
 * @param {unknown} chosen a palette
 */
export function findPalette(browserLocales, language, chosen) {
  const region = new Intl.Locale(chooseLocale(browserLocales)).maximize().region ?? "";
  const usual = language === "ko" || RED_UP_REGIONS.includes(region) ? "red-blue" : "green-red";
  return PALETTES.find((known) => known === chosen) ?? usual;
}
