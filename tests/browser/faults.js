// What of a page's layout one would call broken, in words. `isTouched`: by fingers.
(isTouched) => {
  const SCROLLING = /auto|scroll/;
  const CUTTING = /hidden|clip/;
  /** Rows of tools that scroll sideways where they do not fit. */
  const ROWS = ".tools, .intervals, .chart-tools";
  const FINGER_PX = 40;
  const faults = [];

  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) faults.push(`the page is ${root.scrollWidth} px wide`);
  const isSeen = (element) =>
    element.checkVisibility({ visibilityProperty: true }) && !element.closest(".unseen, .skip");
  const name = (element) =>
    `${element.tagName.toLowerCase()}#${element.closest("[id]")?.id ?? ""} "${element.textContent.trim().slice(0, 30)}"`;

  for (const element of document.querySelectorAll("body *")) {
    if (!isSeen(element) || element.scrollWidth <= element.clientWidth + 1) continue;
    const style = getComputedStyle(element);
    if (SCROLLING.test(style.overflowX) && !element.matches(ROWS)) {
      faults.push(`${name(element)} scrolls sideways`);
    }
  }

  // The part of a rectangle that an element's ancestors show; null for none.
  const shown = (rect, element) => {
    let { left, top, right, bottom } = rect;
    for (let at = element; at && at !== document.body; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.clipPath !== "none") return null;
      const box = at.getBoundingClientRect();
      for (const [overflow, isOut] of [
        [style.overflowX, left < box.left - 1 || right > box.right + 1],
        [style.overflowY, top < box.top - 1 || bottom > box.bottom + 1],
      ]) {
        const isCut = isOut && CUTTING.test(overflow) && style.textOverflow !== "ellipsis";
        if (isCut) faults.push(`${name(element)} is cut off by ${name(at)}`);
      }
      if (style.overflowX !== "visible") {
        [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
      }
      if (style.overflowY !== "visible") {
        [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)];
      }
    }
    return left < right && top < bottom ? { left, top, right, bottom, element } : null;
  };

  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !isSeen(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    for (const rect of range.getClientRects()) {
      const text = shown(rect, element);
      if (!text) continue;
      texts.push(text);
      const box = (element.closest("button, select, a") ?? document.body).getBoundingClientRect();
      if (text.left < box.left - 1 || text.right > box.right + 1) {
        faults.push(`${name(element)} sticks out`);
      }
    }
  }
  // The price axis is a picture of texts.
  const element = document.querySelector("#chart td:last-child");
  if (element && isSeen(element)) {
    texts.push({ ...element.getBoundingClientRect().toJSON(), element });
  }

  for (const element of document.querySelectorAll("body *")) {
    if (getComputedStyle(element).pointerEvents === "none") element.style.pointerEvents = "auto";
  }
  const isOpaque = (element) => getComputedStyle(element).backgroundColor !== "rgba(0, 0, 0, 0)";
  const isUncoveredAt = (x, y, element) => {
    const stack = document.elementsFromPoint(x, y);
    const at = stack.findIndex((found) => found.contains(element) || element.contains(found));
    return !stack.slice(0, Math.max(0, at)).some(isOpaque);
  };
  const LEADING_PX = 4;
  for (const [at, one] of texts.entries()) {
    for (const other of texts.slice(at + 1)) {
      if (one.element === other.element) continue;
      const [left, right] = [Math.max(one.left, other.left), Math.min(one.right, other.right)];
      const [top, bottom] = [Math.max(one.top, other.top), Math.min(one.bottom, other.bottom)];
      if (right - left <= 1 || bottom - top <= LEADING_PX) continue;
      const center = [(left + right) / 2, (top + bottom) / 2];
      if ([one, other].every(({ element }) => isUncoveredAt(...center, element))) {
        faults.push(`${name(one.element)} overlaps ${name(other.element)}`);
      }
    }
  }

  if (isTouched) {
    for (const element of document.querySelectorAll(":is(header, main) :is(button, select, input, a)")) {
      // All of a row leads where its link does, and a label where its box does.
      const { height } = (element.closest(".row, label") ?? element).getBoundingClientRect();
      if (isSeen(element) && height < FINGER_PX) faults.push(`${name(element)} is ${height} px high`);
    }
  }
  return [...new Set(faults)];
}
