// The chosen coin in figures: price, its day, and one candle in a line.
import { opening } from "./clock.js";
import { change, compact, format } from "./decimal.js";

export class Market {
  #elements;

  constructor(elements) {
    this.#elements = elements;
  }

  /** Begin anew for another coin. */
  reset(name) {
    const { coin, summary, legend, ...figures } = this.#elements;
    coin.textContent = name;
    coin.title = name;
    for (const element of [...Object.values(figures), summary, legend]) element.textContent = "";
    document.title = `${name} – Trade Streaming`;
  }

  /** Show a coin's figures; the price is that of its newest candle, if there is one. */
  drawDay({ name, day, digits }, newest) {
    const { price, change: way, high, low, volume, turnover, count } = this.#elements;
    const last = newest?.close ?? day.lastPrice;
    const { direction, text } = change(day.openPrice, last);
    price.textContent = format(last, digits.price);
    way.textContent = text;
    way.dataset.direction = direction;
    high.textContent = format(day.highPrice, digits.price);
    low.textContent = format(day.lowPrice, digits.price);
    volume.textContent = compact(day.volume);
    turnover.textContent = compact(day.quoteVolume);
    count.textContent = format(String(day.count), 0);
    document.title = `${price.textContent} ${name} – Trade Streaming`;
  }

  /** Show one candle above the chart. */
  drawLegend(candle, interval, digits) {
    const { legend } = this.#elements;
    const { direction, text } = change(candle.open, candle.close);
    const figures = [
      ["O", format(candle.open, digits.price)],
      ["H", format(candle.high, digits.price)],
      ["L", format(candle.low, digits.price)],
      ["C", format(candle.close, digits.price)],
      ["V", format(candle.volume, digits.amount)],
    ].map(([name, figure]) => part("figure", part("name", name), figure));
    const way = part("change", text);
    way.dataset.direction = direction;
    legend.replaceChildren(part("time", `${opening(candle.time, interval)} UTC`), ...figures, way);
  }

  /** Say the latest candle in a sentence, for a screen reader. */
  drawSummary({ name, digits }, candle, interval) {
    const text = (figure) => format(figure, digits.price);
    this.#elements.summary.textContent =
      `${name}, latest ${interval} candle, opened ${opening(candle.time, interval)} UTC: ` +
      `open ${text(candle.open)}, high ${text(candle.high)}, low ${text(candle.low)}, ` +
      `close ${text(candle.close)}, volume ${format(candle.volume, digits.amount)} ` +
      `in ${candle.trades} trades.`;
  }
}

function part(name, ...content) {
  const element = document.createElement("span");
  element.className = name;
  element.append(...content);
  return element;
}
