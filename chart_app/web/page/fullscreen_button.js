// Lets a part of the page fill the screen.

/** Shows whether it does; where the browser refuses, says so. */
export class FullscreenButton {
  #button;
  #part;
  #onRefused;

  /**
   * @param {HTMLElement} button
   * @param {HTMLElement} part of the page
   * @param {() => void} onRefused
   */
  constructor(button, part, onRefused) {
    this.#button = button;
    this.#part = part;
    this.#onRefused = onRefused;
    button.addEventListener("click", () => this.#toggle());
    document.addEventListener("fullscreenchange", () => {
      this.#button.setAttribute("aria-pressed", String(document.fullscreenElement === part));
    });
  }

  async #toggle() {
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else await this.#part.requestFullscreen(); // an iPhone has it for videos only
    } catch {
      this.#onRefused();
    }
  }
}
