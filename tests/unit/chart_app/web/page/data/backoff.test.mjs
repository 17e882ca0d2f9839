import assert from "node:assert/strict";
import { test } from "node:test";
import { retryDelayMs } from "../../../../../../chart_app/web/page/data/backoff.js";

test("the delay doubles up to its limit, and is spread", () => {
  assert.equal(retryDelayMs(0, 1), 250);
  assert.equal(retryDelayMs(1, 1), 500);
  assert.equal(retryDelayMs(1, 0), 250);
  assert.equal(retryDelayMs(100, 1), 15_000);
  assert.equal(retryDelayMs(100, 0), 7_500);
});
