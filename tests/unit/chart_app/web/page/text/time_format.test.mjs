import assert from "node:assert/strict";
import { test } from "node:test";
import { textsIn } from "../../../../../../chart_app/web/page/text/texts.js";
import {
  formatOpenTime,
  formatPastSecond,
  formatRemaining,
  formatZonedOpenTime,
  formatZonedSecond,
} from "../../../../../../chart_app/web/page/text/time_format.js";
import { zoneOf } from "../../../../../../chart_app/web/page/text/zone.js";

const TIME = Date.UTC(2026, 0, 5, 3, 7, 9);
const UTC = zoneOf("UTC");

test("a time of another day, by the clocks of a zone, has its date", () => {
  const hours = 60 * 60_000;
  assert.equal(formatPastSecond(TIME, TIME + 20 * hours, UTC), "03:07:09");
  assert.equal(formatPastSecond(TIME, TIME + 21 * hours, UTC), "2026-01-05 03:07:09");
  assert.equal(formatPastSecond(TIME, TIME - 9 * hours, zoneOf("+05:30")), "2026-01-05 08:37:09");
  assert.equal(formatZonedSecond(TIME, zoneOf("+05:30")), "2026-01-05 08:37:09 UTC+5:30");
  const late = Date.UTC(12026, 0, 5, 3, 7, 9);
  assert.equal(formatPastSecond(late, late, UTC), "03:07:09");
});

test("an open time has no time of day where a candle lasts a day or longer", () => {
  for (const interval of ["1m", "30m", "12h"]) {
    assert.equal(formatOpenTime(TIME, { interval, zone: UTC }), "2026-01-05 03:07");
  }
  for (const interval of ["1d", "3d", "1w", "1M"]) {
    assert.equal(formatOpenTime(TIME, { interval, zone: UTC }), "2026-01-05");
  }
  const chicago = { interval: "1m", zone: zoneOf("America/Chicago") };
  assert.equal(formatZonedOpenTime(TIME, chicago), "2026-01-04 21:07 UTC−6");
});

test("what remains is written to the second, or to the hour where it is days", () => {
  const say = textsIn("en");
  for (const [ms, text] of [
    [1, "00:01"],
    [59_000, "00:59"],
    [59_001, "01:00"],
    [3_599_001, "01:00:00"],
    [86_399_000, "23:59:59"],
    [86_400_000, "1d 0h"],
    [30.5 * 86_400_000, "30d 12h"],
  ]) {
    assert.equal(formatRemaining(ms, say), text);
  }
});
