// What of index.html the alerts are shown in.
import { element, typedElement } from "../elements.js";

/** @typedef {ReturnType<typeof alertElements>} AlertElements */

export const alertElements = () => ({
  chart: element("chart"),
  button: element("alert"),
  panel: element("alerts"), // a popover
  form: typedElement("alert-form", HTMLFormElement),
  label: element("alert-label"),
  /** Of type "number": its value is a decimal in every locale. */
  price: typedElement("alert-price", HTMLInputElement),
  error: element("alert-error"),
  list: element("alert-list"),
  notices: element("alert-notices"),
});
