// The popover in which indicators are chosen: each with a checkbox and its numbers.
import { KIND_NAMES, KINDS } from "./kinds.js";
import {
  addStudy,
  changeStudy,
  formatStudies,
  formatStudy,
  MAX_STUDIES,
  nextStudy,
  parseStudies,
  removeStudy,
} from "./studies.js";

/** @import { Say } from "../../text/texts.js" */
/** @import { KindName } from "./kinds.js" */
/** @import { Study } from "./studies.js" */

/**
 * What is not chosen keeps its row, with its numbers, until the popover is opened again.
 * @typedef {object} Row
 * @property {Study} study
 * @property {HTMLElement} element
 * @property {HTMLInputElement} box
 * @property {HTMLInputElement[]} numbers
 */

export class StudyPicker {
  #container;
  #say;
  #onChoose;
  /** @type {readonly Study[]} */
  #studies = [];
  /** @type {Row[]} */
  #rows = [];

  /**
   * @param {HTMLElement} container a popover
   * @param {Say} say
   * @param {(text: string) => void} onChoose gets the text for the address
   */
  constructor(container, say, onChoose) {
    this.#container = container;
    this.#say = say;
    this.#onChoose = onChoose;
    container.addEventListener("beforetoggle", (event) => {
      if (event.newState === "open") this.#draw();
    });
  }

  /** @param {string} text as it stands in the address */
  choose(text) {
    if (text === formatStudies(this.#studies)) return;
    this.#studies = parseStudies(text);
    if (this.#container.matches(":popover-open")) this.#draw();
  }

  #draw() {
    this.#container.replaceChildren();
    this.#rows = [];
    for (const kind of KIND_NAMES) {
      for (const study of this.#studies) if (study.kind === kind) this.#addRow(study);
      this.#offerNext(kind);
    }
    this.#drawStates();
  }

  /**
   * Have a row for one more of a kind, below the others.
   * @param {KindName} kind
   */
  #offerNext(kind) {
    const isOffered = this.#rows.some(({ study, box }) => study.kind === kind && !box.checked);
    const next = nextStudy(kind, this.#studies);
    if (next && !isOffered) this.#addRow(next);
  }

  /** @param {Study} study */
  #addRow(study) {
    const { parameters, text } = KINDS[study.kind];
    const element = document.createElement("div");
    element.className = "study-row";
    const box = field("checkbox");
    box.checked = this.#indexOf(study) >= 0;
    element.append(label(this.#say(text), box, ""));
    const numbers = parameters.map(({ name, min, max, step }) => {
      const number = field("number");
      Object.assign(number, { min: String(min), max: String(max), step: String(step) });
      const isOnly = parameters.length === 1;
      element.append(label(this.#say(name), number, isOnly ? "unseen" : ""));
      return number;
    });
    const row = { study, element, box, numbers };
    box.addEventListener("change", () => this.#toggle(row));
    for (const [which, number] of numbers.entries()) {
      number.addEventListener("change", () => this.#change(row, which, number.valueAsNumber));
    }
    const last = this.#rows.findLastIndex((other) => other.study.kind === study.kind);
    if (last < 0) this.#container.append(element);
    else this.#rows[last]?.element.after(element);
    this.#rows.splice(last < 0 ? this.#rows.length : last + 1, 0, row);
  }

  /** @param {Row} row */
  #toggle(row) {
    const { study, box } = row;
    const studies = box.checked
      ? addStudy(this.#studies, study)
      : removeStudy(this.#studies, study);
    box.checked = box.checked && studies.length > this.#studies.length; // another may be so already
    this.#studies = studies;
    this.#offerNext(study.kind);
    this.#drawStates();
    this.#onChoose(formatStudies(studies));
  }

  /**
   * @param {Row} row that is chosen
   * @param {number} which of its numbers
   * @param {number} value
   */
  #change(row, which, value) {
    const index = this.#indexOf(row.study);
    this.#studies = changeStudy(this.#studies, index, which, value);
    row.study = this.#studies[index] ?? row.study;
    this.#drawStates();
    this.#onChoose(formatStudies(this.#studies));
  }

  #drawStates() {
    const isFull = this.#studies.length === MAX_STUDIES;
    for (const { study, box, numbers } of this.#rows) {
      box.disabled = isFull && !box.checked;
      for (const [which, number] of numbers.entries()) {
        number.value = String(study.values[which]);
        number.disabled = !box.checked;
      }
    }
  }

  /** @param {Study} study */
  #indexOf(study) {
    const key = formatStudy(study);
    return this.#studies.findIndex((other) => formatStudy(other) === key);
  }
}

/** @param {"checkbox" | "number"} type */
function field(type) {
  const input = document.createElement("input");
  input.type = type;
  return input;
}

/**
 * @param {string} text
 * @param {HTMLInputElement} input
 * @param {string} className of the text
 */
function label(text, input, className) {
  const element = document.createElement("label");
  const name = document.createElement("span");
  name.className = className;
  name.textContent = text;
  element.append(name, input);
  return element;
}
