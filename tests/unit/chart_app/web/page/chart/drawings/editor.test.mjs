import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Editor } from "../../../../../../../chart_app/web/page/chart/drawings/editor.js";
import { MAX_DRAWINGS } from "../../../../../../../chart_app/web/page/chart/drawings/kept_drawings.js";

const at = (x, y) => ({ x, y });
const anchor = (time, price) => ({ time, price });
const MOUSE = { tolerance: 6, mayScroll: false };
const FINGER = { tolerance: 16, mayScroll: true };

/** One ms a px to the right, one unit of price a px up. */
const plot = {
  toPoint: ({ time, price }) => at(time, -price),
  toAnchor: ({ x, y }) => anchor(x, 0 - y),
  start: () => anchor(1000, 50),
};
/** What was kept, one list a change. */
let kept;
let editor;

beforeEach(() => {
  kept = [];
  editor = new Editor(plot, (list) => kept.push(list));
});

function click(x, y) {
  assert.ok(editor.press(at(x, y), MOUSE));
  editor.release(at(x, y));
}

function drag([fromX, fromY], [toX, toY], touch = MOUSE) {
  const isTaken = editor.press(at(fromX, fromY), touch);
  editor.move(at((fromX + toX) / 2, (fromY + toY) / 2));
  editor.release(at(toX, toY));
  return isTaken;
}

function drawn(kind, from, to) {
  editor.choose(kind);
  drag(from, to);
  editor.cancel();
}

test("two clicks draw a line, which is selected then", () => {
  editor.choose("trend");
  click(10, -10);
  editor.move(at(50, -20));
  assert.deepEqual(editor.active.anchors, [anchor(10, 10), anchor(50, 20)]);
  assert.deepEqual(kept, []);
  click(90, -30);
  const line = { kind: "trend", anchors: [anchor(10, 10), anchor(90, 30)] };
  assert.deepEqual(kept, [[line]]);
  assert.deepEqual(editor.active, line);
  assert.equal(editor.tool, null);
});

test("one drag draws a line too; a click where it began does not end it", () => {
  editor.choose("rectangle");
  click(10, -10);
  click(11, -11);
  assert.equal(kept.length, 0);
  editor.cancel();
  editor.choose("rectangle");
  drag([10, -10], [40, -40]);
  assert.deepEqual(kept[0][0].anchors, [anchor(10, 10), anchor(40, 40)]);
});

test("a horizontal line is where the pointer is released", () => {
  editor.choose("horizontal");
  drag([10, -10], [10, -70]);
  assert.deepEqual(kept, [[{ kind: "horizontal", anchors: [anchor(10, 70)] }]]);
});

test("an end, a corner or the whole is moved", () => {
  drawn("rectangle", [0, 0], [100, -100]);
  drag([100, 0], [120, 10]);
  assert.deepEqual(kept.at(-1)[0].anchors, [anchor(0, -10), anchor(120, 100)]);
  drag([60, 10], [70, 30]);
  assert.deepEqual(kept.at(-1)[0].anchors, [anchor(10, -30), anchor(130, 80)]);
  assert.equal(kept.length, 3);
});

test("a press without a move changes nothing, nor does a move that is cancelled", () => {
  drawn("trend", [0, 0], [100, -100]);
  click(50, -50);
  editor.press(at(50, -50), MOUSE);
  editor.move(at(90, -50));
  editor.cancel();
  assert.equal(kept.length, 1);
  assert.deepEqual(editor.drawings, kept[0]);
});

test("a finger selects before it moves: until then it scrolls", () => {
  drawn("trend", [0, 0], [100, -100]);
  assert.equal(drag([50, -50], [70, -50], FINGER), false);
  assert.equal(kept.length, 1);
  assert.equal(drag([50, -50], [70, -50], FINGER), true);
  assert.deepEqual(kept.at(-1)[0].anchors, [anchor(20, 0), anchor(120, 100)]);
});

test("beside all drawings a press is for the chart, and selects none", () => {
  drawn("trend", [0, 0], [100, -100]);
  editor.selectNext();
  assert.equal(editor.press(at(80, -20), MOUSE), false);
  assert.equal(editor.active, null);
});

test("the keys draw, move, change ends and delete", () => {
  editor.choose("trend");
  editor.enter();
  editor.nudge(at(5, 0));
  editor.enter();
  editor.nudge(at(20, -7));
  editor.enter();
  assert.deepEqual(kept.at(-1)[0].anchors, [anchor(1005, 50), anchor(1025, 57)]);
  editor.nudge(at(0, -1));
  assert.deepEqual(kept.at(-1)[0].anchors, [anchor(1005, 51), anchor(1025, 58)]);
  editor.enter();
  editor.enter();
  editor.nudge(at(1, 0));
  assert.deepEqual(editor.activeAnchor, anchor(1026, 58));
  assert.deepEqual(kept.at(-1)[0].anchors, [anchor(1005, 51), anchor(1026, 58)]);
  editor.deleteSelected();
  assert.deepEqual(kept.at(-1), []);
});

test("each change is taken back, the last first, of the same coin only", () => {
  drawn("trend", [0, 0], [100, -100]);
  editor.selectNext();
  editor.nudge(at(1, 0));
  editor.deleteAll();
  editor.undo();
  editor.undo();
  assert.deepEqual(kept.at(-1), kept[0]);
  editor.undo();
  assert.deepEqual(kept.at(-1), []);
  assert.equal(editor.canUndo, false);
  editor.undo();
  assert.equal(kept.length, 6);

  drawn("trend", [0, 0], [100, -100]);
  editor.load([]);
  assert.equal(editor.canUndo, false);
});

test("no more than the most that are kept can be drawn", () => {
  const line = { kind: "horizontal", anchors: [anchor(0, 0)] };
  editor.load(Array(MAX_DRAWINGS).fill(line));
  editor.choose("horizontal");
  assert.equal(editor.tool, null);
});

test("without candles nothing is drawn, and what is kept stays", () => {
  const empty = new Editor({ toPoint: () => null, toAnchor: () => null, start: () => null }, () =>
    assert.fail("nothing changes"),
  );
  empty.load([{ kind: "trend", anchors: [anchor(0, 0), anchor(1, 1)] }]);
  empty.choose("trend");
  assert.equal(empty.press(at(0, 0), MOUSE), false);
  empty.release(at(90, 90));
  empty.enter();
  empty.nudge(at(1, 1));
  empty.cancel();
  empty.selectNext();
  empty.nudge(at(1, 1));
  assert.equal(empty.press(at(0, 0), MOUSE), false);
});
