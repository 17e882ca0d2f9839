// Where popovers of the tools open.

const GAP_PX = 4;
const WIDTH_PX = 300; // what the style sheet lets one have
const HEIGHT_PX = 280; // that is left for it at least

/**
 * Open a popover below its button, or as near as the window lets it.
 * @param {HTMLElement} popover
 * @param {HTMLElement} button
 */
export function openBelow(popover, button) {
  popover.addEventListener("beforetoggle", () => {
    const { left, bottom } = button.getBoundingClientRect();
    const top = Math.max(GAP_PX, Math.min(bottom + GAP_PX, innerHeight - HEIGHT_PX));
    popover.style.left = `${Math.max(GAP_PX, Math.min(left, innerWidth - WIDTH_PX - GAP_PX))}px`;
    popover.style.top = `${top}px`;
    popover.style.maxHeight = `${innerHeight - top - GAP_PX}px`;
  });
}
