import assert from "node:assert/strict";
import { test } from "node:test";
import { INTERVALS, intervalMs } from "../../../../../../chart_app/web/page/settings/intervals.js";

test("each interval is longer than the one before", () => {
  const lengths = INTERVALS.map(intervalMs);
  assert.deepEqual(
    lengths,
    lengths.toSorted((one, other) => one - other),
  );
  assert.equal(intervalMs("15m"), 900_000);
  assert.equal(intervalMs("1w"), 7 * 24 * 3_600_000);
});
