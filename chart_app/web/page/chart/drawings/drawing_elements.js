// What of index.html one draws with.
import { element, typedElement } from "../../elements.js";

/** @typedef {ReturnType<typeof drawingElements>} DrawingElements */

export const drawingElements = () => ({
  chart: element("chart"),
  button: element("draw"),
  /** A popover; `data-draw` of its buttons is a kind. */
  tools: element("draw-tools"),
  undo: typedElement("draw-undo", HTMLButtonElement),
  deleteAll: typedElement("draw-delete-all", HTMLButtonElement),
  active: element("drawing"), // shown while one is drawn or selected
  activeName: element("drawing-name"),
  deleteActive: element("drawing-delete"),
  cancel: element("drawing-cancel"),
});
