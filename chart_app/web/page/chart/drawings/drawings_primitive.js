// Draws the drawings of a coin on the canvas of the chart.
import { drawHandle, fillRectangle, strokeAcross, strokeLine } from "./canvas.js";
import { corners, handlePoints } from "./geometry.js";
import { PriceLabel } from "./price_label.js";

/** @import { IPrimitivePaneRenderer, ISeriesPrimitive, PrimitiveHoveredItem, SeriesAttachedParameter } from "lightweight-charts" */
/** @import { ChartColors } from "../chart_colors.js" */
/** @import { Drawing } from "./drawing.js" */
/** @import { Size } from "./geometry.js" */
/** @import { Plot } from "./plot.js" */

/**
 * @typedef {object} DrawingsView
 * @property {readonly Drawing[]} drawings
 * @property {Drawing | null} active the one with handles
 */

/** @implements {ISeriesPrimitive} */
export class DrawingsPrimitive {
  #plot;
  #isOver;
  /** @type {ChartColors} */
  #colors;
  /** @type {DrawingsView} */
  #view = { drawings: [], active: null };
  #requestUpdate = () => {};
  /** @type {PriceLabel[]} */
  #labels = [];
  #paneViews;

  /**
   * @param {Plot} plot
   * @param {ChartColors} colors
   * @param {(x: number, y: number) => boolean} isOver whether there the pointer is over a drawing
   */
  constructor(plot, colors, isOver) {
    this.#plot = plot;
    this.#colors = colors;
    this.#isOver = isOver;
    /** @type {IPrimitivePaneRenderer} */
    const renderer = {
      draw: (target) =>
        target.useMediaCoordinateSpace(({ context, mediaSize }) => this.#draw(context, mediaSize)),
    };
    this.#paneViews = [{ renderer: () => renderer }];
  }

  /** @param {SeriesAttachedParameter} attached */
  attached(attached) {
    this.#plot.attach(attached);
    this.#requestUpdate = attached.requestUpdate;
  }

  detached() {
    this.#plot.detach();
    this.#requestUpdate = () => {};
  }

  paneViews() {
    return this.#paneViews;
  }

  priceAxisViews() {
    return this.#labels;
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {PrimitiveHoveredItem | null}
   */
  hitTest(x, y) {
    return this.#isOver(x, y)
      ? { cursorStyle: "pointer", externalId: "drawing", zOrder: "normal" }
      : null;
  }

  /** @param {DrawingsView} view */
  show(view) {
    this.#view = view;
    const colors = () => ({ back: this.#colors.drawing, text: this.#colors.surface });
    this.#labels = view.drawings
      .filter(({ kind }) => kind === "horizontal")
      .map(({ anchors }) => new PriceLabel(this.#plot, anchors[0]?.price ?? Number.NaN, colors));
    this.#requestUpdate();
  }

  /** @param {ChartColors} colors */
  recolor(colors) {
    this.#colors = colors;
    this.#requestUpdate();
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Size} size
   */
  #draw(context, size) {
    context.strokeStyle = this.#colors.drawing;
    for (const drawing of this.#view.drawings) this.#drawOne(context, size, drawing);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {Size} size
   * @param {Drawing} drawing
   */
  #drawOne(context, size, drawing) {
    const { kind, anchors } = drawing;
    const points = anchors.flatMap((anchor) => this.#plot.toPoint(anchor) ?? []);
    const [one, other] = points;
    if (!one) return;
    if (kind === "horizontal") {
      strokeAcross(context, one.y, size);
    } else if (other && kind === "trend") {
      strokeLine(context, one, other, size);
    } else if (other) {
      context.fillStyle = this.#colors["drawing-soft"];
      fillRectangle(context, one, other, size);
      const around = corners(one, other);
      around.forEach((corner, index) => {
        strokeLine(context, corner, around[(index + 1) % around.length] ?? corner, size);
      });
    }
    if (drawing !== this.#view.active) return;
    context.fillStyle = this.#colors.surface;
    const handles =
      kind === "horizontal" ? [{ x: size.width / 2, y: one.y }] : handlePoints(kind, points);
    for (const handle of handles) drawHandle(context, handle);
  }
}
