// Which rows of a long list are in view. No DOM.

/**
 * All in px.
 * @typedef {{ rowHeight: number, scrollTop: number, height: number }} View
 */

const ROWS_AROUND = 4; // drawn above and below, so that a scroll by the wheel shows no gap

/**
 * The first row to be drawn and the one behind the last.
 * @param {number} count
 * @param {View} view
 */
export function rowsInView(count, { rowHeight, scrollTop, height }) {
  const from = Math.floor(scrollTop / rowHeight) - ROWS_AROUND;
  const to = Math.ceil((scrollTop + height) / rowHeight) + ROWS_AROUND;
  return { from: clamp(from, 0, count), to: clamp(to, 0, count) };
}

/**
 * Where the list is to be scrolled for a row to be seen: where it is, if it is in view.
 * @param {number} index
 * @param {View} view
 */
export function scrollTopFor(index, { rowHeight, scrollTop, height }) {
  const top = index * rowHeight;
  const isInView = top >= scrollTop && top + rowHeight <= scrollTop + height;
  return isInView ? scrollTop : Math.max(0, top - (height - rowHeight) / 2);
}

/**
 * @param {number} number
 * @param {number} least
 * @param {number} most
 */
const clamp = (number, least, most) => Math.min(Math.max(number, least), most);
