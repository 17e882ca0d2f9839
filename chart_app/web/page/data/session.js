// Where reading is not public: the way back to the form for the key.
import { element } from "../elements.js";

/** Go to the form, and after it back to what is shown now. */
export function signIn() {
  location.replace(`/login${location.search}`);
}

/** Do so if the session is over: a WebSocket that is refused does not say why. */
export async function signInIfOver() {
  if (element("session").hidden) return; // anybody may read
  const response = await fetch("/api/v3/ping").catch(() => null);
  if (response?.status === 401) signIn();
}
