import assert from "node:assert/strict";
import { test } from "node:test";
import {
  MAX_DRAWINGS,
  parseDrawings,
  readDrawings,
  writeDrawings,
} from "../../../../../../../chart_app/web/page/chart/drawings/kept_drawings.js";
import { Kept } from "../../../../../../../chart_app/web/page/settings/kept.js";

const LINE = { kind: "horizontal", anchors: [{ time: 1_700_000_000_000, price: 91234.5 }] };
const TREND = { kind: "trend", anchors: [LINE.anchors[0], { time: 5, price: 1e-8 }] };

test("drawings are kept for each coin", () => {
  const kept = new Kept(() => {
    throw new Error("blocked");
  });
  writeDrawings(kept, "BTC", [LINE, TREND]);
  assert.deepEqual(readDrawings(kept, "BTC"), [LINE, TREND]);
  assert.deepEqual(readDrawings(kept, "ETH"), []);
});

test("what is no drawing is left out", () => {
  const anchor = { time: 5, price: 1 };
  const none = [
    null,
    7,
    "trend",
    [],
    {},
    { kind: "trend" },
    { kind: "circle", anchors: [anchor] },
    { kind: "toString", anchors: [anchor] },
    { kind: "__proto__", anchors: [anchor] },
    { kind: ["trend"], anchors: [anchor, anchor] },
    { kind: "trend", anchors: [anchor] },
    { kind: "trend", anchors: { 0: anchor, 1: anchor, length: 2 } },
    { kind: "trend", anchors: [anchor, null] },
    ...[Number.NaN, Infinity, 1.5, 8.65e15, 1e308, "5", null].map((time) => ({
      kind: "horizontal",
      anchors: [{ time, price: 1 }],
    })),
    ...[Number.NaN, -Infinity, "1", null, {}].map((price) => ({
      kind: "horizontal",
      anchors: [{ time: 5, price }],
    })),
  ];
  assert.deepEqual(parseDrawings([...none, LINE]), [LINE]);
  for (const value of [undefined, null, 1, "[]", { length: 1, 0: LINE }]) {
    assert.deepEqual(parseDrawings(value), []);
  }
});

test("of a drawing only what it needs is taken, and of a huge list only the first", () => {
  const anchors = [{ ...LINE.anchors[0], color: "red" }];
  assert.deepEqual(parseDrawings([{ ...LINE, anchors, onclick: "alert(1)" }]), [LINE]);
  assert.equal(parseDrawings(Array(1_000_000).fill(LINE)).length, MAX_DRAWINGS);
});
