import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../../../../../../chart_app/web/page/data/connection.js";

/** What it is after each of these calls: its state, with ! where what is shown may be out of date. */
function statesAfter(calls) {
  const connection = new Connection();
  return calls.map(([method, value]) => {
    connection[method](value);
    return `${connection.state}${connection.isOutOfDate ? "!" : ""}`;
  });
}

const connecting = ["setLine", "connecting"];
const open = ["setLine", "open"];
const stale = ["setLine", "stale"];
const lost = ["setLine", "reconnecting"];
const loaded = ["setLoaded"];
const ready = ["setReady", true];
const notReady = ["setReady", false];

test("it is live once all is loaded on an open line", () => {
  assert.deepEqual(statesAfter([loaded, open, loaded]), ["connecting", "loading", "live"]);
});

test("after a loss it is out of date until all is loaded again", () => {
  const calls = [open, loaded, lost, loaded, connecting, open, loaded];
  const states = ["loading", "live", "reconnecting!", "reconnecting!", "connecting!", "loading!"];
  assert.deepEqual(statesAfter(calls), [...states, "live"]);
});

test("a line that is heard of again has lost nothing", () => {
  assert.deepEqual(statesAfter([open, loaded, stale, open]).slice(2), ["stale!", "live"]);
});

test("while the server is not ready it is not live, and afterwards all is loaded again", () => {
  const states = statesAfter([open, notReady, loaded, ready, loaded]);
  assert.deepEqual(states, ["loading", "notReady!", "notReady!", "loading!", "live"]);
  const connection = new Connection();
  const answers = [true, false, false, true, true].map((it) => connection.setReady(it));
  assert.deepEqual(answers, [false, false, false, true, false]);
});
