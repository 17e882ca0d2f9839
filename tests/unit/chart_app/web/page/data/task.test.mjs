import assert from "node:assert/strict";
import { test } from "node:test";
import { Task } from "../../../../../../chart_app/web/page/data/task.js";

/** A task whose work ends as the test says. */
function stoppedTask(isRetried = false) {
  const runs = [];
  const errors = [];
  const work = (signal) =>
    new Promise((end, fail) => {
      runs.push({ signal, end, fail });
    });
  const onFailure = (error) => {
    errors.push(error);
    return isRetried;
  };
  return { runs, errors, task: new Task(work, { onFailure, mayRetry: () => true }) };
}

const turn = () => new Promise((go) => setImmediate(go));

test("what is asked for meanwhile is done once more, not at the same time", async () => {
  const { runs, task } = stoppedTask();
  const done = task.run();
  task.run();
  task.run();
  assert.equal(runs.length, 1);
  runs[0].end();
  await turn();
  assert.equal(runs.length, 2);
  runs[1].end();
  await done;
  assert.equal(task.isRunning, false);
});

test("what is given up is told so, and says no more", async () => {
  const { runs, errors, task } = stoppedTask();
  task.run();
  task.abort();
  assert.equal(runs[0].signal.aborted, true);
  const done = task.run();
  runs[0].fail(new Error("aborted"));
  await turn();
  assert.equal(task.isRunning, true);
  runs[1].end();
  await done;
  assert.deepEqual(errors, []);
});

test("what has failed is tried again later, unless it is given up", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { runs, errors, task } = stoppedTask(true);
  const failed = new Error("it failed");
  const done = task.run();
  runs[0].fail(failed);
  await done;
  assert.deepEqual(errors, [failed]);
  context.mock.timers.tick(60_000);
  assert.equal(runs.length, 2);
  runs[1].fail(failed);
  await turn();
  task.abort();
  context.mock.timers.tick(60_000);
  assert.equal(runs.length, 2);
});
