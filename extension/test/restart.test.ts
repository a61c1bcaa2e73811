/** Restarts happen when they are needed, one at a time, and not for ever. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Coalescer } from "../src/coalescer";
import { RestartPolicy } from "../src/restartPolicy";

const MINUTE_MS = 60_000;

suite("restarts of a server that stops", () => {
  test("are five in three minutes, and no more", () => {
    const policy = new RestartPolicy();
    const answers = [0, 1, 2, 3, 4, 5].map((second) => policy.mayRestart(second * 1000));
    assert.deepEqual(answers, [true, true, true, true, true, false]);
  });

  test("go on for a server that stops now and then", () => {
    const policy = new RestartPolicy();
    const answers = Array.from({ length: 20 }, (_, count) => policy.mayRestart(count * MINUTE_MS));
    assert.ok(answers.every(Boolean));
  });
});

suite("requests that come while a task runs", () => {
  /** A task whose runs end when the test says so. */
  function controlled() {
    const runs: { end: () => void; fail: (error: Error) => void }[] = [];
    const coalescer = new Coalescer(
      () =>
        new Promise<void>((resolve, reject) => {
          runs.push({ end: resolve, fail: reject });
        }),
    );
    return { runs, coalescer };
  }

  test("become one further run, after the first", async () => {
    const { runs, coalescer } = controlled();
    const first = coalescer.request();
    const further = [coalescer.request(), coalescer.request(), coalescer.request()];
    assert.equal(runs.length, 1);
    runs[0]?.end();
    await first;
    await Promise.resolve();
    assert.equal(runs.length, 2);
    runs[1]?.end();
    await Promise.all(further);
    assert.equal(runs.length, 2);
  });

  test("are not lost when the running task fails", async () => {
    const { runs, coalescer } = controlled();
    const first = coalescer.request();
    const second = coalescer.request();
    runs[0]?.fail(new Error("no server"));
    await assert.rejects(first, /no server/);
    await Promise.resolve();
    runs[1]?.end();
    await second;
  });

  test("never lead to two runs at once", async () => {
    let running = 0;
    let most = 0;
    const coalescer = new Coalescer(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    });
    const requests: Promise<void>[] = [];
    for (let turn = 0; turn < 50; turn += 1) {
      requests.push(coalescer.request());
      await Promise.resolve();
    }
    await Promise.all(requests);
    assert.equal(most, 1);
  });
});
