import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

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

/** The relative luminance of a color, by the WCAG. */
function luminance(color) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

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
