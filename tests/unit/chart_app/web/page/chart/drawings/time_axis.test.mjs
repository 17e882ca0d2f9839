import assert from "node:assert/strict";
import { test } from "node:test";
import {
  positionAt,
  timeAt,
} from "../../../../../../../chart_app/web/page/chart/drawings/time_axis.js";

const MINUTE = 60_000;
const WITH_GAP = [0, 1, 2, 10, 11].map((minute) => 1_700_000_000_000 + minute * MINUTE);

test("a time between two candles is interpolated, also where candles are missing", () => {
  const [start] = WITH_GAP;
  assert.equal(positionAt(WITH_GAP, MINUTE, start), 0);
  assert.equal(positionAt(WITH_GAP, MINUTE, start + 90_000), 1.5);
  assert.equal(positionAt(WITH_GAP, MINUTE, start + 6 * MINUTE), 2.5);
});

test("beyond the candles each interval is one", () => {
  const [start] = WITH_GAP;
  assert.equal(positionAt(WITH_GAP, MINUTE, start - 3 * MINUTE), -3);
  assert.equal(positionAt(WITH_GAP, MINUTE, start + 13.5 * MINUTE), 6.5);
  assert.equal(timeAt(WITH_GAP, MINUTE, -3), start - 3 * MINUTE);
  assert.equal(timeAt(WITH_GAP, MINUTE, 6.5), start + 13.5 * MINUTE);
});

test("a position gives back the time that it was made of", () => {
  for (let time = WITH_GAP[0] - 100_000; time < WITH_GAP[4] + 100_000; time += 977) {
    assert.equal(timeAt(WITH_GAP, MINUTE, positionAt(WITH_GAP, MINUTE, time)), time);
  }
  assert.equal(timeAt([5], MINUTE, positionAt([5], MINUTE, 1005)), 1005);
});

test("without candles there is no position", () => {
  assert.equal(positionAt([], MINUTE, 0), null);
  assert.equal(timeAt([], MINUTE, 0), null);
});
