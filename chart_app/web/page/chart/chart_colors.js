// The colors of the style sheet, for the chart, which is a canvas.

/** Each is the class `color-…` of the style sheet. */
const COLORS = /** @type {const} */ ([
  "up",
  "down",
  "up-soft",
  "down-soft",
  "accent",
  "accent-soft",
  "drawing",
  "drawing-soft",
  "alert",
  "study-1",
  "study-2",
  "study-3",
  "study-4",
  "study-5",
  "study-6",
  "text",
  "muted",
  "line",
  "surface",
]);

/** @typedef {Record<typeof COLORS[number], string>} ChartColors */

/**
 * The colors as they are now.
 * @param {HTMLElement} container
 * @returns {ChartColors}
 */
export function readColors(container) {
  const probe = document.createElement("i");
  container.append(probe);
  const colors = COLORS.map((name) => {
    probe.className = `color-${name}`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(colors);
}
