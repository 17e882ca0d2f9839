import assert from "node:assert/strict";
import { test } from "node:test";
import { delay } from "../../../../../chart_app/web/page/feed.js";

test("the delay doubles up to its limit, and is spread", () => {
  assert.equal(delay(0, 1), 250);
  assert.equal(delay(1, 1), 500);
  assert.equal(delay(1, 0), 250);
  assert.equal(delay(100, 1), 15_000);
  assert.equal(delay(100, 0), 7_500);
});
