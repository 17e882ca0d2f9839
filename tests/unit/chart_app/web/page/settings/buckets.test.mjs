import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketsOf } from "../../../../../../chart_app/web/page/settings/buckets.js";
import { zoneOf } from "../../../../../../chart_app/web/page/text/zone.js";

const WINTER = Date.UTC(2026, 0, 5);
const SUMMER = Date.UTC(2026, 6, 5);

test("days are read by the clocks that they begin by, hours by those of their time", () => {
  const zone = zoneOf("America/New_York");
  const days = bucketsOf("1d", zone, WINTER);
  assert.equal(days.timeZone, "-05:00");
  assert.equal(days.zone.offset(SUMMER), "-05:00");
  const hours = bucketsOf("4h", zone, WINTER);
  assert.equal(hours.timeZone, "-05:00");
  assert.equal(hours.zone.offset(SUMMER), "-04:00");
});
