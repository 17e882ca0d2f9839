import assert from "node:assert/strict";
import { test } from "node:test";
import {
  KIND_NAMES,
  KINDS,
} from "../../../../../../../chart_app/web/page/chart/indicators/kinds.js";
import {
  addStudy,
  COLOR_COUNT,
  changeStudy,
  colorsOf,
  formatStudies,
  MAX_STUDIES,
  nextStudy,
  parseStudies,
  removeStudy,
  shortName,
} from "../../../../../../../chart_app/web/page/chart/indicators/studies.js";

const ALL = "sma-20,ema-50,bb-20-2.5,vwap,rsi-14,macd-12-26-9";

test("a text gives back the studies it was made of", () => {
  assert.equal(formatStudies(parseStudies(ALL)), ALL);
  assert.deepEqual(parseStudies("bb-20-2,vwap"), [
    { kind: "bb", values: [20, 2] },
    { kind: "vwap", values: [] },
  ]);
  assert.deepEqual(parseStudies(""), []);
  assert.equal(formatStudies([]), "");
});

test("what is named wrongly is left out, and what is named twice is there once", () => {
  const wrong =
    "sma|sma-|sma-0|sma-501|sma--5|sma-1e2|sma-20.5|sma-NaN|sma-20-30|SMA-20|rsi- 14|vwap-5|vwap-" +
    "|bb-20|bb-20-0|bb-20-11|bb-20-2.55|bb-20-2-5|macd-12-26|constructor-1|__proto__|toString";
  for (const text of wrong.split("|")) {
    assert.equal(formatStudies(parseStudies(`${text},ema-9`)), "ema-9", text);
  }
  assert.equal(formatStudies(parseStudies("sma-20,rsi-14,sma-20,sma-020")), "sma-20,rsi-14");
});

test("the longest text costs no more than a short one", () => {
  const many = Array.from({ length: 100_000 }, (_, index) => `sma-${(index % 500) + 1}`).join(",");
  assert.equal(parseStudies(many).length, MAX_STUDIES);
  assert.deepEqual(parseStudies(",".repeat(100_000)), []);
  const longest = Array.from({ length: MAX_STUDIES }, (_, index) => `macd-500-500-${500 - index}`);
  assert.equal(formatStudies(parseStudies(longest.join(","))), longest.join(","));
});

test("the next study of a kind is one that is not there yet", () => {
  let studies = parseStudies("sma-50");
  for (const expected of ["sma-20", "sma-100", "sma-200"]) {
    const next = nextStudy("sma", studies);
    assert.equal(formatStudies([next]), expected);
    studies = [...studies, next];
  }
  assert.equal(nextStudy("sma", studies), undefined);
});

test("a study is added once, while there is room, and removed", () => {
  const [added] = parseStudies("rsi-14");
  const two = addStudy(parseStudies("sma-20"), added);
  assert.equal(formatStudies(two), "sma-20,rsi-14");
  assert.equal(formatStudies(addStudy(two, added)), "sma-20,rsi-14");
  assert.equal(formatStudies(removeStudy(two, parseStudies("sma-20")[0])), "rsi-14");
  const full = parseStudies("sma-1,sma-2,sma-3,sma-4,sma-5,sma-6,sma-7,sma-8,sma-9,sma-10");
  assert.equal(full.length, MAX_STUDIES);
  assert.deepEqual(addStudy(full, added), full);
});

test("each study has the next colors, and all of them are used before one is used again", () => {
  const studies = parseStudies("bb-20-2,macd-12-26-9,sma-20,vwap,rsi-14,ema-9");
  assert.deepEqual(colorsOf(studies), [[1], [2, 3], [4], [5], [COLOR_COUNT], [1]]);
  assert.deepEqual(studies.slice(0, 2).map(shortName), ["BB 20 2", "MACD 12 26 9"]);
});

test("a changed value is the nearest that can be", () => {
  const studies = parseStudies("sma-20,bb-20-2");
  for (const [index, which, value, expected] of [
    [0, 0, 30, "sma-30,bb-20-2"],
    [0, 0, 7.6, "sma-8,bb-20-2"],
    [0, 0, -1, "sma-1,bb-20-2"],
    [0, 0, 1e9, "sma-500,bb-20-2"],
    [1, 1, 0.31, "sma-20,bb-20-0.3"],
    [0, 0, NaN, "sma-20,bb-20-2"],
    [2, 0, 30, "sma-20,bb-20-2"],
    [0, 1, 30, "sma-20,bb-20-2"],
  ]) {
    assert.equal(formatStudies(changeStudy(studies, index, which, value)), expected);
  }
  const two = parseStudies("sma-20,sma-50");
  assert.equal(changeStudy(two, 1, 0, 20), two);
});

test("the defaults of each kind can be written, and its plots are computed", () => {
  for (const kind of KIND_NAMES) {
    const { defaults, make, plots } = KINDS[kind];
    const studies = defaults.map((values) => ({ kind, values }));
    assert.deepEqual(parseStudies(formatStudies(studies)), studies);
    const { columns } = make(...defaults[0]);
    assert.ok(plots.every(({ column }) => Array.isArray(columns[column])));
  }
});
