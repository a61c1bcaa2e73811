/** The status bar says where the workspace stands, in the words that the user reads. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { countText, deltaText, percentText } from "../src/numbers";
import type { StatusParams } from "../src/protocol";
import { spokenText, statusText, tooltipLines, type StatusView } from "../src/statusText";

const READY: StatusParams = {
  folder: "file:///project",
  state: "ready",
  percent: 64.2,
  delta: 0.4,
  target: 85,
  toTarget: 7,
  gaps: 41,
  mutationScore: null,
  mutants: 0,
  mutatedFiles: 0,
  survivors: 0,
  outlook: "",
  source: "Testlens' own run",
  done: 0,
  total: 0,
  failed: 0,
  leftOut: 0,
};

function view(status: Partial<StatusParams> | undefined, more: Partial<StatusView> = {}): StatusView {
  return { status: status && { ...READY, ...status }, serverDown: false, file: undefined, ...more };
}

suite("the status bar", () => {
  test("shows coverage, target and the change since the last run", () => {
    assert.equal(statusText(view({})), "$(beaker) 64.2 % → 85 % ▲0.4");
    assert.equal(statusText(view({ delta: -1.25 })), "$(beaker) 64.2 % → 85 % ▼1.3");
  });

  test("leaves the change out where there is none to show", () => {
    assert.equal(statusText(view({ delta: null })), "$(beaker) 64.2 % → 85 %");
    assert.equal(statusText(view({ delta: 0.04 })), "$(beaker) 64.2 % → 85 %");
  });

  test("shows the mutation score once mutants were checked, coverage or not", () => {
    const mutants = { mutationScore: 81.2, mutants: 16, mutatedFiles: 1, survivors: 3 };
    assert.equal(statusText(view({ ...mutants, delta: null })), "$(beaker) 64.2 % → 85 % · 81 % of 16 mutants");
    assert.equal(statusText(view({ ...mutants, state: "noData", percent: null })), "$(beaker) No coverage · 81 % of 16 mutants");
    assert.ok(tooltipLines(view(mutants)).includes("Mutation score: 81.2 % of the 16 mutants checked in 1 file, 3 survivors shown"));
  });

  test("tells of slow tests that are left to the user", () => {
    assert.equal(statusText(view({ leftOut: 3, delta: null })), "$(beaker) 64.2 % → 85 % · 3 slow tests");
    assert.ok(tooltipLines(view({ leftOut: 1 })).some((line) => line.startsWith("1 slow test left to you")));
    assert.ok(!tooltipLines(view({})).some((line) => line.includes("slow")));
  });

  test("shows a tick once the target is reached", () => {
    assert.equal(statusText(view({ percent: 85, delta: null })), "$(beaker) 85 % $(check)");
  });

  test("counts the tests of a run, and those that failed", () => {
    const run = { state: "running", done: 12, total: 50 } as const;
    assert.equal(statusText(view({ ...run, failed: 0 })), "$(sync~spin) 12/50 tests");
    assert.equal(statusText(view({ ...run, failed: 1 })), "$(sync~spin) 12/50 tests, 1 failed");
    assert.equal(statusText(view({ state: "running", total: 0 })), "$(sync~spin) Collecting tests");
  });

  test("keeps what is known in view while data is read again", () => {
    assert.equal(statusText(view({ state: "loading", delta: null })), "$(loading~spin) 64.2 % → 85 %");
    assert.equal(statusText(view({ state: "loading", percent: null })), "$(loading~spin) Testlens");
    assert.equal(statusText(view(undefined)), "$(loading~spin) Testlens");
  });

  test("says that there is no coverage", () => {
    assert.equal(statusText(view({ state: "noData", percent: null })), "$(beaker) No coverage");
  });

  test("says that the server is down", () => {
    assert.equal(statusText(view(undefined, { serverDown: true })), "$(warning) Testlens");
    assert.deepEqual(tooltipLines(view(undefined, { serverDown: true })), ["The server is not running."]);
  });

  test("is spoken without icons", () => {
    assert.equal(spokenText(view({ delta: null })), "Testlens: 64.2 % target 85 %");
  });

  test("explains itself in the tooltip", () => {
    const file = { name: "messaging.py", percent: 57.14, note: null };
    assert.deepEqual(tooltipLines(view({}, { file })), [
      "Workspace: 64.2 % (▲0.4 since the run before)",
      "messaging.py: 57.1 %",
      "Target: 85 %, 7 functions to go",
      "41 gaps",
      "Data: Testlens' own run",
    ]);
  });

  test("says in the tooltip why a file has no percentage", () => {
    const file = { name: "new.py", percent: null, note: "edited since the last run" };
    assert.ok(tooltipLines(view({}, { file })).includes("new.py: edited since the last run"));
  });

  test("says in the tooltip how far the target is at this pace, once that is known", () => {
    const outlook = "64.2 % -> 85 %: 7 functions left, at this month's pace 12 days.";
    const lines = tooltipLines(view({ outlook }));
    assert.ok(lines.includes(outlook));
    assert.ok(!lines.some((line) => line.startsWith("Target")));
  });

  test("says in the tooltip that the target is reached", () => {
    assert.ok(tooltipLines(view({ percent: 90, toTarget: 0 })).includes("Target: 85 %, reached"));
  });
});

suite("numbers", () => {
  test("only nothing is 0 % and only everything is 100 %", () => {
    assert.equal(percentText(0), "0 %");
    assert.equal(percentText(0.01), "0.1 %");
    assert.equal(percentText(99.97), "99.9 %");
    assert.equal(percentText(100), "100 %");
    assert.equal(percentText(99.7, 0), "99 %");
    assert.equal(percentText(41.6, 0), "42 %");
  });

  test("one is singular", () => {
    assert.equal(countText(1, "gap"), "1 gap");
    assert.equal(countText(0, "gap"), "0 gaps");
  });

  test("no change is no arrow", () => {
    assert.equal(deltaText(0), undefined);
  });
});
