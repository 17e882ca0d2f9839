import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { COLOR_COUNT } from "../../../../../../chart_app/web/page/chart/indicators/studies.js";

const STYLE = readFileSync(
  new URL("../../../../../../chart_app/web/page/styles/base.css", import.meta.url),
  "utf8",
);
const LEAST_CONTRAST = 4.5; // of text, by the WCAG

/** The colors of a rule, each for light and for dark. */
function colorsOf(selector) {
  const begin = STYLE.indexOf(`${selector} {`);
  assert.notEqual(begin, -1, selector);
  const rule = STYLE.slice(begin, STYLE.indexOf("}", begin));
  const found = rule.matchAll(/--([\w-]+): light-dark\((#\w+), (#\w+)\);/g);
  return Object.fromEntries([...found].map(([, name, light, dark]) => [name, { light, dark }]));
}

/** The red, green and blue light of a color. */
function lightOf(color) {
  return [1, 3, 5].map((at) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
}

const dot = (row, values) => row.reduce((sum, factor, at) => sum + factor * values[at], 0);

/** The relative luminance of a color, by the WCAG. */
const luminance = (color) => dot([0.2126, 0.7152, 0.0722], lightOf(color));

function contrast(one, other) {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

test("the values of indicators can be read above the chart, in light and in dark", () => {
  const colors = colorsOf(":root");
  const studies = Object.entries(colors).filter(([name]) => name.startsWith("study-"));
  assert.equal(studies.length, COLOR_COUNT);
  for (const [name, color] of studies) {
    for (const theme of ["light", "dark"]) {
      assert.ok(
        contrast(color[theme], colors.surface[theme]) >= LEAST_CONTRAST,
        `${name}, ${theme}`,
      );
    }
  }
});

test("the text of every palette can be read on every surface, in light and in dark", () => {
  const base = colorsOf(":root");
  for (const selector of ["", '[data-colors="red-blue"]', '[data-colors="blue-orange"]']) {
    const colors = { ...base, ...colorsOf(`:root${selector}`) };
    for (const name of ["text", "muted", "accent", "up", "down", "good", "bad"]) {
      for (const surface of ["back", "surface", "raised"]) {
        for (const theme of ["light", "dark"]) {
          const found = contrast(colors[name][theme], colors[surface][theme]);
          const what = `${selector} ${name} on ${surface}, ${theme}: ${found}`;
          assert.ok(found >= LEAST_CONTRAST, what);
        }
      }
    }
    for (const name of ["up", "down"]) {
      const { light, dark } = colors[name];
      assert.deepEqual(colors[`${name}-soft`], { light: `${light}55`, dark: `${dark}55` });
    }
  }
});

// What is left of light for those who lack a kind of cone, after Machado, Oliveira and Fernandes (2009).
const EYES = {
  "without red": [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  "without green": [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
};
const SRGB_TO_XYZ = [
  [0.4124 / 0.9505, 0.3576 / 0.9505, 0.1805 / 0.9505],
  [0.2126, 0.7152, 0.0722],
  [0.0193 / 1.089, 0.1192 / 1.089, 0.9505 / 1.089],
];

/** A color in CIELAB, as such an eye sees it. */
function lab(color, eye) {
  const light = eye.map((row) => Math.max(0, dot(row, lightOf(color))));
  const [x, y, z] = SRGB_TO_XYZ.map((row) => {
    const value = dot(row, light);
    return value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116;
  });
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

test("those who see no red or no green tell blue and orange apart", () => {
  const { up, down } = colorsOf(':root[data-colors="blue-orange"]');
  for (const [name, eye] of Object.entries(EYES)) {
    for (const theme of ["light", "dark"]) {
      const one = lab(up[theme], eye);
      const distance = Math.hypot(...lab(down[theme], eye).map((value, at) => value - one[at]));
      assert.ok(distance > 60, `${name}, ${theme}: ${distance}`);
    }
  }
});
