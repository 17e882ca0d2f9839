// The keys that move the chart.

/** @import { ITimeScaleApi, Time } from "lightweight-charts" */

const SCROLL = 10; // candles
const ZOOM = 1.25;

/** Moves a time scale with the arrows, plus and minus. */
export class ChartKeys {
  #timeScale;
  /**
   * The scroll position that the next frame will have.
   * @type {number | undefined}
   */
  #position;
  /** @type {Record<string, () => void>} */
  #moves;

  /**
   * @param {ITimeScaleApi<Time>} timeScale
   * @param {() => void} onEnd
   */
  constructor(timeScale, onEnd) {
    this.#timeScale = timeScale;
    this.#moves = {
      ArrowLeft: () => this.#scrollBy(-SCROLL),
      ArrowRight: () => this.#scrollBy(SCROLL),
      "+": () => this.#zoomBy(ZOOM),
      "-": () => this.#zoomBy(1 / ZOOM),
      End: onEnd,
    };
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = this.#moves[event.key];
    if (!move) return;
    move();
    event.preventDefault();
  }

  /** @param {number} factor */
  #zoomBy(factor) {
    const { barSpacing } = this.#timeScale.options();
    this.#timeScale.applyOptions({ barSpacing: barSpacing * factor });
  }

  /**
   * The chart moves with the next frame only; until then, several steps add up.
   * @param {number} step in candles
   */
  #scrollBy(step) {
    this.#position = (this.#position ?? this.#timeScale.scrollPosition()) + step;
    this.#timeScale.scrollToPosition(this.#position, false);
    requestAnimationFrame(() => {
      this.#position = undefined;
    });
  }
}
