import assert from "node:assert/strict";
import { test } from "node:test";
import { ZONES } from "../../../../../../chart_app/web/page/settings/zones.js";
import { zoneOf } from "../../../../../../chart_app/web/page/text/zone.js";

const WINTER = Date.UTC(2026, 0, 5, 3, 7, 9);
const SUMMER = Date.UTC(2026, 6, 5, 3, 7, 9);

test("a zone shows what its clocks show, in summer and winter", () => {
  for (const [name, at, clock, offset, title] of [
    ["UTC", WINTER, "2026-01-05T03:07:09.000Z", "+00:00", "UTC"],
    ["-05:00", WINTER, "2026-01-04T22:07:09.000Z", "-05:00", "UTC−5"],
    ["+05:30", SUMMER, "2026-07-05T08:37:09.000Z", "+05:30", "UTC+5:30"],
    ["-09:30", SUMMER, "2026-07-04T17:37:09.000Z", "-09:30", "UTC−9:30"],
    ["Asia/Seoul", WINTER, "2026-01-05T12:07:09.000Z", "+09:00", "UTC+9"],
    ["America/New_York", WINTER, "2026-01-04T22:07:09.000Z", "-05:00", "UTC−5"],
    ["America/New_York", SUMMER, "2026-07-04T23:07:09.000Z", "-04:00", "UTC−4"],
    ["Europe/London", WINTER, "2026-01-05T03:07:09.000Z", "+00:00", "UTC"],
  ]) {
    const zone = zoneOf(name);
    assert.equal(zone.clock(at).toISOString(), clock);
    assert.equal(zone.offset(at), offset);
    assert.equal(zone.offsetName(at), title);
  }
});

test("a fixed zone stays as it was at a time", () => {
  const fixed = zoneOf("America/New_York").fixedAt(WINTER);
  assert.equal(fixed.offset(SUMMER), "-05:00");
  assert.equal(fixed.clock(SUMMER).toISOString(), "2026-07-04T22:07:09.000Z");
});

test("the reader's own zone is what the machine has", () => {
  const minutes = new Date(SUMMER).getTimezoneOffset();
  assert.equal(zoneOf("").clock(SUMMER).getTime(), SUMMER - minutes * 60_000);
});

test("each zone that can be chosen is one that the API takes", () => {
  for (const name of ZONES) {
    for (const at of [WINTER, SUMMER]) {
      const [, sign, hours] = /^([+-])(\d\d):\d\d$/.exec(zoneOf(name).offset(at));
      assert.ok(Number(hours) <= (sign === "-" ? 12 : 14), name);
    }
  }
  assert.equal(new Set(ZONES).size, ZONES.length);
});
