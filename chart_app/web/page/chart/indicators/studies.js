// The indicators of a chart as text, for the address: "sma-20,bb-20-2,rsi-14".
import { KIND_NAMES, KINDS } from "./kinds.js";

/** @import { KindName, Parameter } from "./kinds.js" */

/**
 * An indicator that is chosen, with the values of its parameters.
 * @typedef {{ kind: KindName, values: readonly number[] }} Study
 */

export const MAX_STUDIES = 10;
export const COLOR_COUNT = 6; // that the style sheet has
const MAX_TEXT_LENGTH = 200;
const NUMBER = /^\d{1,3}(\.\d)?$/;

/**
 * The studies that a text names, each once; what it names wrongly is left out.
 * @param {string} text
 * @returns {Study[]}
 */
export function parseStudies(text) {
  const studies = text.slice(0, MAX_TEXT_LENGTH).split(",").map(parseStudy);
  return withoutDoubles(studies.filter((study) => study !== undefined)).slice(0, MAX_STUDIES);
}

/** @param {readonly Study[]} studies */
export const formatStudies = (studies) => studies.map(formatStudy).join(",");

/**
 * What differs between any two studies of a chart.
 * @param {Study} study
 */
export const formatStudy = ({ kind, values }) => [kind, ...values].join("-");

/**
 * The studies with one more, if there is room for it and none is so already.
 * @param {readonly Study[]} studies
 * @param {Study} study
 */
export const addStudy = (studies, study) =>
  withoutDoubles([...studies, study]).slice(0, MAX_STUDIES);

/**
 * The studies without one of them.
 * @param {readonly Study[]} studies
 * @param {Study} study
 */
export const removeStudy = (studies, study) =>
  studies.filter((other) => formatStudy(other) !== formatStudy(study));

/**
 * The study that is added next: the first of the kind's defaults that is not there yet.
 * @param {KindName} kind
 * @param {readonly Study[]} studies
 * @returns {Study | undefined} undefined if all are
 */
export function nextStudy(kind, studies) {
  const held = new Set(studies.map(formatStudy));
  return KINDS[kind].defaults
    .map((values) => ({ kind, values }))
    .find((study) => !held.has(formatStudy(study)));
}

/**
 * The studies with one value changed to the nearest that its parameter can have; as they are, if
 * another one is so already.
 * @param {readonly Study[]} studies
 * @param {number} index of the study
 * @param {number} which of its parameters
 * @param {number} value
 */
export function changeStudy(studies, index, which, value) {
  const study = studies[index];
  const parameter = study && KINDS[study.kind].parameters[which];
  if (!parameter || Number.isNaN(value)) return studies;
  const values = study.values.with(which, nearest(parameter, value));
  const changed = studies.with(index, { ...study, values });
  return withoutDoubles(changed).length === studies.length ? changed : studies;
}

/**
 * Which colors each study has, of those that the style sheet numbers from 1: the next ones.
 * @param {readonly Pick<Study, "kind">[]} studies
 */
export function colorsOf(studies) {
  let taken = 0;
  return studies.map(({ kind }) => {
    const own = new Set(KINDS[kind].plots.map(({ color }) => color).filter((it) => it !== null));
    return [...own].map(() => (taken++ % COLOR_COUNT) + 1);
  });
}

/**
 * "MACD 12 26 9"
 * @param {Study} study
 */
export const shortName = ({ kind, values }) => [KINDS[kind].short, ...values].join(" ");

/**
 * @param {string} text
 * @returns {Study | undefined}
 */
function parseStudy(text) {
  const [name, ...numbers] = text.split("-");
  const kind = KIND_NAMES.find((known) => known === name);
  if (!kind) return undefined;
  const { parameters } = KINDS[kind];
  const values = numbers.map((part) => (NUMBER.test(part) ? Number(part) : NaN));
  const isValid =
    values.length === parameters.length &&
    parameters.every((parameter, index) => nearest(parameter, values[index]) === values[index]);
  return isValid ? { kind, values } : undefined;
}

/**
 * @param {Parameter} parameter
 * @param {number} [value]
 */
function nearest({ min, max, step }, value = NaN) {
  const steps = Math.round(1 / step); // of 1: 0.1 * 3 is not 0.3
  return Math.min(max, Math.max(min, Math.round(value * steps) / steps));
}

/** @param {readonly Study[]} studies */
function withoutDoubles(studies) {
  return [...new Map(studies.map((study) => [formatStudy(study), study])).values()];
}
