import assert from "node:assert/strict";
import { test } from "node:test";
import { WHOLE } from "../../../../../../../chart_app/web/page/chart/drawings/drawing.js";
import {
  clipLine,
  distanceToLine,
  partAt,
} from "../../../../../../../chart_app/web/page/chart/drawings/geometry.js";

const at = (x, y) => ({ x, y });
const SIZE = { width: 100, height: 50 };

test("the distance to a line ends at its ends", () => {
  assert.equal(distanceToLine(at(5, 3), at(0, 0), at(10, 0)), 3);
  assert.equal(distanceToLine(at(13, 4), at(0, 0), at(10, 0)), 5);
  assert.equal(distanceToLine(at(3, 4), at(0, 0), at(0, 0)), 5);
});

test("a line is clipped to what is seen of it", () => {
  assert.deepEqual(clipLine(at(-100, 25), at(200, 25), SIZE), [at(0, 25), at(100, 25)]);
  assert.deepEqual(clipLine(at(10, 10), at(20, 20), SIZE), [at(10, 10), at(20, 20)]);
  assert.equal(clipLine(at(-10, 0), at(-1, 50), SIZE), null);
  assert.equal(clipLine(at(-10, 60), at(110, 51), SIZE), null);
});

test("the largest numbers are clipped, or not drawn", () => {
  assert.deepEqual(clipLine(at(50, 25), at(50, -1e308), SIZE), [at(50, 25), at(50, 0)]);
  assert.equal(clipLine(at(0, 1e308), at(10, -1e308), SIZE), null);
  assert.equal(clipLine(at(Number.NaN, 0), at(10, 10), SIZE), null);
});

test("a trend line is taken by its ends or as a whole", () => {
  const ends = [at(0, 0), at(100, 100)];
  assert.equal(partAt("trend", ends, at(3, 3), 6), 0);
  assert.equal(partAt("trend", ends, at(98, 101), 6), 1);
  assert.equal(partAt("trend", ends, at(50, 54), 6), WHOLE);
  assert.equal(partAt("trend", ends, at(50, 70), 6), null);
});

test("a horizontal line is taken anywhere at its price", () => {
  assert.equal(partAt("horizontal", [at(-5000, 20)], at(90, 24), 6), WHOLE);
  assert.equal(partAt("horizontal", [at(-5000, 20)], at(90, 30), 6), null);
});

test("a rectangle is taken by its corners or its border, not from within", () => {
  const corners = [at(10, 10), at(90, 40)];
  assert.equal(partAt("rectangle", corners, at(11, 39), 6), 2);
  assert.equal(partAt("rectangle", corners, at(91, 11), 6), 3);
  assert.equal(partAt("rectangle", corners, at(50, 41), 6), WHOLE);
  assert.equal(partAt("rectangle", corners, at(50, 25), 6), null);
});

test("what has no place is not under the pointer", () => {
  assert.equal(partAt("trend", [at(Number.NaN, 0), at(1, Infinity)], at(0, 0), 6), null);
  assert.equal(partAt("trend", [], at(0, 0), 6), null);
});
