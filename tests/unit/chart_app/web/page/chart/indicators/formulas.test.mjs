// The formulas beside those of the package technicalindicators, which shares no code with them.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CandleColumns,
  cut,
} from "../../../../../../../chart_app/web/page/chart/indicators/columns.js";
import {
  KIND_NAMES,
  KINDS,
} from "../../../../../../../chart_app/web/page/chart/indicators/kinds.js";
import {
  BollingerBands,
  EMA,
  MACD,
  RSI,
  SMA,
  VWAP,
} from "../../../../../../page/node_modules/technicalindicators/dist/index.js";
import { candlesOf, randoms, realCandles, walk } from "./lists.mjs";

const DAY_MS = 86_400_000;
const DIGITS = 9; // that both have alike, of prices
const RSI_STEP = 0.01; // the package rounds to it

const utcDay = (openTime) => Math.floor(openTime / DAY_MS);
const REAL = realCandles();
const LISTS = {
  "real trades": REAL,
  "one candle": REAL.slice(0, 1),
  "fewer candles than the length": REAL.slice(0, 13),
  "as many candles as the length": REAL.slice(0, 20),
  "flat prices": candlesOf(Array(80).fill(0.1)),
  "prices of 13 digits": candlesOf(walk(300, 1_234_567_890_123, 1)),
  "prices of 13 decimals": candlesOf(walk(300, 0.0000000001234, 2)),
};

/** The columns of a formula for a whole list. */
function compute(name, values, list, isComplete = true) {
  const candles = new CandleColumns();
  candles.update(list, 0, isComplete, utcDay);
  const formula = KINDS[name].make(...values);
  formula.extend(candles);
  return formula.columns;
}

/** Assert that a column ends in these values, and has none before. */
function assertEnds(column, expected, tolerance) {
  const missing = column.length - expected.length;
  assert.ok(column.slice(0, missing).every(Number.isNaN), "there are values too early");
  for (const [index, value] of expected.entries()) {
    const found = column[missing + index];
    assert.ok(Math.abs(found - value) <= tolerance(value), `${found} is not ${value}`);
  }
}

for (const [title, list] of Object.entries(LISTS)) {
  const values = list.map(({ close }) => Number(close));
  const largest = Math.max(...values);
  const alike = () => largest * 10 ** -DIGITS;

  test(`averages and bands of ${title}`, () => {
    for (const period of [1, 5, 20, 50]) {
      assertEnds(compute("sma", [period], list).average, SMA.calculate({ period, values }), alike);
      assertEnds(compute("ema", [period], list).average, EMA.calculate({ period, values }), alike);
    }
    const bands = BollingerBands.calculate({ period: 20, stdDev: 2.5, values });
    const ours = compute("bb", [20, 2.5], list);
    for (const name of ["middle", "upper", "lower"]) {
      assertEnds(
        ours[name],
        bands.map((band) => band[name]),
        alike,
      );
    }
  });

  test(`RSI and MACD of ${title}`, () => {
    if (!title.startsWith("flat")) {
      const strength = RSI.calculate({ period: 14, values });
      assertEnds(compute("rsi", [14], list).strength, strength, () => RSI_STEP / 2 + 1e-9);
    }
    const periods = { fastPeriod: 12, slowPeriod: 26, signalPeriod: 9 };
    const average = { SimpleMAOscillator: false, SimpleMASignal: false };
    const macd = MACD.calculate({ values, ...periods, ...average });
    const ours = compute("macd", [12, 26, 9], list);
    for (const [name, theirs] of [
      ["macd", "MACD"],
      ["signal", "signal"],
      ["histogram", "histogram"],
    ]) {
      const expected = macd.map((point) => point[theirs]).filter((value) => value !== undefined);
      assertEnds(ours[name], expected, alike);
    }
  });

  test(`VWAP of ${title}, day by day`, () => {
    const { average } = compute("vwap", [], list);
    const days = [...Map.groupBy(list, ({ openTime }) => utcDay(openTime)).values()];
    const expected = days.flatMap((day) =>
      VWAP.calculate({
        high: day.map(({ high }) => Number(high)),
        low: day.map(({ low }) => Number(low)),
        close: day.map(({ close }) => Number(close)),
        volume: day.map(({ volume }) => Number(volume)),
      }),
    );
    assertEnds(average, expected, alike);
  });
}

test("the real trades are of more than one day", () => {
  assert.ok(REAL.length > 500);
  assert.equal(new Set(REAL.map(({ openTime }) => utcDay(openTime))).size, 2);
});

test("what does not move has its price as average, no width, and neither strength", () => {
  const { middle, upper, lower } = compute("bb", [20, 2], LISTS["flat prices"]);
  assert.deepEqual([middle.at(-1), upper.at(-1), lower.at(-1)], [0.1, 0.1, 0.1]);
  assert.equal(compute("ema", [20], LISTS["flat prices"]).average.at(-1), 0.1);
  assert.equal(compute("macd", [12, 26, 9], LISTS["flat prices"]).histogram.at(-1), 0);
  assert.equal(compute("rsi", [14], LISTS["flat prices"]).strength.at(-1), 50);
});

test("what only rises has the strength 100, what only falls 0", () => {
  const rising = Array.from({ length: 40 }, (_, index) => index + 1);
  assert.equal(compute("rsi", [14], candlesOf(rising)).strength.at(-1), 100);
  assert.equal(compute("rsi", [14], candlesOf(rising.toReversed())).strength.at(-1), 0);
});

test("a day of which there may be earlier candles has no VWAP", () => {
  const { average } = compute("vwap", [], REAL, false);
  const days = REAL.map(({ openTime }) => utcDay(openTime));
  const next = days.findIndex((day) => day !== days[0]);
  assert.ok(average.slice(0, next).every(Number.isNaN));
  const last = compute("vwap", [], REAL.slice(next)).average;
  assert.deepEqual(average.slice(next), last);
});

test("columns continued change by change are those of the whole list", () => {
  const random = randoms(3);
  const pick = (count) => Math.floor(random() * count);
  for (let round = 0; round < 20; round++) {
    const all = candlesOf(walk(1500, 10 ** (pick(30) - 15), round));
    let first = 200 + pick(800);
    let list = all.slice(first, first + pick(60));
    const candles = new CandleColumns();
    const formulas = KIND_NAMES.map((name) => {
      const { defaults, make } = KINDS[name];
      return { name, values: defaults[0], formula: make(...defaults[0]) };
    });
    for (let step = 0; step < 40; step++) {
      let from = list.length;
      const change = pick(5);
      if (change === 0) {
        list = [...list, ...all.slice(first + list.length, first + list.length + 1 + pick(3))];
      } else if (change === 1 && list.length) {
        from = pick(3) ? list.length - 1 : pick(list.length); // the newest, or a late trade's
        list = list.with(from, { ...list[from], close: String(Number(list[from].close) * 1.01) });
      } else if (change === 2) {
        const older = pick(Math.min(first, 100));
        list = [...all.slice(first - older, first), ...list];
        first -= older;
        from = 0;
      } else if (change === 3 && list.length) {
        list = list.toSpliced(pick(list.length), 1); // void
        from = 0;
      }
      candles.update(list, from, round % 2 === 0, utcDay);
      for (const { formula } of formulas) {
        cut(Object.values(formula.columns), from);
        formula.extend(candles);
      }
    }
    for (const { name, values, formula } of formulas) {
      assert.deepEqual(formula.columns, compute(name, values, list, round % 2 === 0), name);
    }
  }
});
