import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatOpenTime,
  formatSecond,
} from "../../../../../../chart_app/web/page/text/time_format.js";

const TIME = Date.UTC(2026, 0, 5, 3, 7, 9);

test("times are in UTC", () => {
  assert.equal(formatSecond(TIME), "03:07:09");
});

test("an open time has no time of day where a candle lasts a day or longer", () => {
  for (const interval of ["1m", "30m", "12h"]) {
    assert.equal(formatOpenTime(TIME, interval), "2026-01-05 03:07");
  }
  for (const interval of ["1d", "3d", "1w", "1M"]) {
    assert.equal(formatOpenTime(TIME, interval), "2026-01-05");
  }
});
