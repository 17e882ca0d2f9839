import assert from "node:assert/strict";
import { test } from "node:test";
import {
  rowsInView,
  scrollTopFor,
} from "../../../../../../chart_app/web/page/coins/list_window.js";

const view = { rowHeight: 10, scrollTop: 1005, height: 100 };

test("the rows in view are drawn, and four above and below", () => {
  assert.deepEqual(rowsInView(10_000, view), { from: 96, to: 115 });
});

test("no row is drawn that is not there", () => {
  assert.deepEqual(rowsInView(0, view), { from: 0, to: 0 });
  assert.deepEqual(rowsInView(3, { ...view, scrollTop: 0 }), { from: 0, to: 3 });
  assert.deepEqual(rowsInView(105, view), { from: 96, to: 105 });
  assert.deepEqual(rowsInView(3, { ...view, height: -30 }), { from: 3, to: 3 }); // of no height yet
});

test("a row out of view is scrolled to the middle, one in view stays where it is", () => {
  assert.equal(scrollTopFor(101, view), 1005);
  assert.equal(scrollTopFor(109, view), 1005);
  assert.equal(scrollTopFor(100, view), 955); // its upper half is hidden
  assert.equal(scrollTopFor(110, view), 1055);
  assert.equal(scrollTopFor(0, view), 0);
});
