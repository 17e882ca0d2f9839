// The elements of a page, by id.

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function typedElement(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new TypeError(`#${id} is not in the page as ${type.name}`);
  return found;
}

/** @param {string} id */
export const element = (id) => typedElement(id, HTMLElement);

/**
 * @param {HTMLSelectElement} select its first option is for what is not chosen
 * @param {unknown} value may be anything: it was kept
 */
export function chooseOption(select, value) {
  const index = [...select.options].findIndex((option) => option.value === value);
  select.selectedIndex = Math.max(0, index);
}
