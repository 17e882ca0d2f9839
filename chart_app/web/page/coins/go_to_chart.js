// On a phone the chart is above the list.

/**
 * Scroll to the chart and focus it, where it is not wholly in view.
 * @param {HTMLElement} market what belongs to the chart, which is the lower part of it
 * @param {HTMLElement} chart
 */
export function goToChart(market, chart) {
  const { top, bottom } = chart.getBoundingClientRect();
  if (top >= 0 && bottom <= innerHeight) return;
  const hasRoom = bottom - market.getBoundingClientRect().top <= innerHeight;
  // A smooth scroll would end where the page gets shorter, as it does until the coin is loaded.
  (hasRoom ? market : chart).scrollIntoView({ behavior: "instant" });
  chart.focus({ preventScroll: true });
}
