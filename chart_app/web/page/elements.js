// The elements of index.html, by id.

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
