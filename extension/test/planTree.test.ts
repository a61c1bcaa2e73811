/** The tree "Test gaps" shows the plan as the server ranked it. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { distanceText, fileNodes, folderNode, riskiestGap, riskLevel, type PlanNode } from "../src/planTree";
import type { Plan, PlannedFunction, PlannedGap } from "../src/protocol";

const GAP: PlannedGap = {
  title: "Lines 34 to 41 never run",
  detail: "error handler, 3 statements",
  risk: 71.3,
  kind: "uncovered",
  uri: "file:///project/clarity/dynamo.py",
  first: 33,
  last: 40,
};

const FUNCTION: PlannedFunction = { name: "DynamoDBService.batch_write", risk: 71.3, percent: 41.7, gaps: [GAP] };

function planOf(functions: readonly PlannedFunction[]): Plan {
  const file = { path: "clarity/dynamo.py", uri: GAP.uri, percent: 57.14, risk: 71.3, functions };
  return { percent: 64.2, target: 85, summary: "64.2 % now", outlook: "", files: [file] };
}

function ids(nodes: readonly PlanNode[]): string[] {
  return nodes.flatMap((node) => [node.id, ...ids(node.children)]);
}

suite("the tree of gaps", () => {
  test("goes from file to function to gap, each with its risk", () => {
    const [file] = fileNodes(planOf([FUNCTION]), "folder");
    const method = file?.children[0];
    const gap = method?.children[0];
    assert.deepEqual([file?.label, file?.description], ["dynamo.py", "risk 71 · 57 % · clarity"]);
    assert.deepEqual([method?.label, method?.description], ["DynamoDBService.batch_write", "risk 71 · 42 %"]);
    assert.deepEqual([gap?.label, gap?.description], ["Lines 34 to 41 never run", "risk 71"]);
    assert.equal(gap?.gap, GAP);
  });

  test("has different ids for what bears one name, in one folder and in two", () => {
    const plan = planOf([{ ...FUNCTION, gaps: [GAP, GAP] }, FUNCTION]);
    const all = ids([folderNode("a", "file:///a", plan), folderNode("b", "file:///b", plan)]);
    assert.equal(new Set(all).size, all.length);
  });

  test("keeps its ids when only numbers have changed, so that what is open stays open", () => {
    const before = fileNodes(planOf([FUNCTION]), "folder");
    const after = fileNodes(planOf([{ ...FUNCTION, risk: 12, percent: 90 }]), "folder");
    assert.deepEqual(ids(after), ids(before));
  });

  test("shows a workspace folder with its own coverage", () => {
    const folder = folderNode("clarity", "file:///clarity", planOf([FUNCTION]));
    assert.deepEqual([folder.label, folder.description, folder.risk], ["clarity", "64.2 %", 71.3]);
  });

  test("says in one sentence how far the target is, and without coverage what there is to do", () => {
    const plan = { ...planOf([FUNCTION]), outlook: "7 functions left" };
    assert.equal(distanceText(plan), "7 functions left");
    assert.equal(distanceText({ ...plan, outlook: "" }), "64.2 % now");
    assert.equal(folderNode("clarity", "file:///clarity", plan).tooltip, "64.2 % now\n\n7 functions left");
  });

  test("finds the gap to close first below each of its nodes", () => {
    const riskier = { ...GAP, title: "Line 12 never run", risk: 90, first: 11 };
    const [file] = fileNodes(planOf([{ ...FUNCTION, gaps: [riskier, GAP] }, FUNCTION]), "folder");
    const method = file?.children[0];
    const found = [file, method, method?.children[1]].map((node) => node && riskiestGap(node));
    assert.deepEqual(found, [riskier, riskier, GAP]);
    assert.equal(riskiestGap(folderNode("empty", "file:///empty", planOf([]))), undefined);
  });

  test("colours by the levels that the Problems panel uses", () => {
    const levels = { warningFrom: 70, informationFrom: 40 };
    assert.deepEqual(
      [70, 69.9, 40, 39.9].map((risk) => riskLevel(risk, levels)),
      ["high", "medium", "medium", "low"],
    );
  });
});
