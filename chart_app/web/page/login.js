// The form for the key.
import { typedElement } from "./elements.js";
import { Kept } from "./settings/kept.js";
import { LanguageChoice } from "./settings/language_choice.js";
import { fillTexts, textsIn } from "./text/texts.js";

function start() {
  const select = typedElement("language", HTMLSelectElement);
  const { language } = new LanguageChoice(select, new Kept(() => localStorage));
  select.value = language;
  fillTexts(document, textsIn(language));
}

start();
