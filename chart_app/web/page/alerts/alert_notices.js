// Says that an alert has fired: on the page, and by the browser where the reader lets it.

const SHOWN = 3; // the latest ones

export class AlertNotices {
  #element;
  #dismiss;

  /**
   * @param {HTMLElement} element of role "alert"
   * @param {string} dismiss the text of the button that takes one away
   */
  constructor(element, dismiss) {
    this.#element = element;
    this.#dismiss = dismiss;
  }

  /** Ask the reader, once, whether the browser may notify. */
  async ask() {
    if ("Notification" in window && Notification.permission === "default") {
      await Notification.requestPermission();
    }
  }

  /**
   * @param {{ title: string, text: string }} message
   * @param {() => void} onOpen
   */
  show({ title, text }, onOpen) {
    this.#showOnPage(`${title} – ${text}`);
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    try {
      const notification = new Notification(title, {
        body: text,
        tag: `${title} ${text}`, // one, though several tabs show it
        icon: "/page/icon.svg",
      });
      notification.addEventListener("click", () => {
        window.focus();
        notification.close();
        onOpen();
      });
    } catch {
      // Browsers of phones notify for service workers only; the page has said it.
    }
  }

  /** @param {string} text */
  #showOnPage(text) {
    const notice = document.createElement("p");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = this.#dismiss;
    button.addEventListener("click", () => notice.remove());
    notice.append(text, button);
    this.#element.prepend(notice);
    while (this.#element.children.length > SHOWN) this.#element.lastElementChild?.remove();
  }
}
