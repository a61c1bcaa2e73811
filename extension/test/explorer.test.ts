/** The test explorer shows pytest's node ids as a tree, and gives pytest what was chosen in it. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { idsToRun, showsExplorer, type ChosenNode } from "../src/explorer/choice";
import { fileOf, nodesOf } from "../src/explorer/nodeIds";

function nodes(id: string, lines: readonly (number | null)[] = []) {
  return nodesOf({ id, uri: null, lines });
}

function node(id: string, ...children: ChosenNode[]): ChosenNode {
  return { id, children: children.map((child) => [child.id, child] as const) };
}

suite("a test in the tree", () => {
  test("lies in its file, its classes and, with parameters, its function", () => {
    const [file, outer, inner, method, leaf] = nodes("tests/unit/test_a.py::TestA::TestB::test_c[1-x]", [4, 6, 8]);
    assert.deepEqual(file, { id: "tests/unit/test_a.py", label: "tests/unit/test_a.py" });
    assert.deepEqual(outer, { id: "tests/unit/test_a.py::TestA", label: "TestA", line: 4 });
    assert.deepEqual(inner, { id: "tests/unit/test_a.py::TestA::TestB", label: "TestB", line: 6 });
    assert.deepEqual(method, { id: "tests/unit/test_a.py::TestA::TestB::test_c", label: "test_c", line: 8 });
    assert.deepEqual(leaf, { id: "tests/unit/test_a.py::TestA::TestB::test_c[1-x]", label: "[1-x]", line: 8 });
  });

  test("without parameters is its function", () => {
    assert.deepEqual(
      nodes("test_a.py::test_b", [2]).map(({ id, line }) => [id, line]),
      [
        ["test_a.py", undefined],
        ["test_a.py::test_b", 2],
      ],
    );
  });

  test("may have parameters with anything in them", () => {
    const id = "test_a.py::test_b[a::b[0]/c]";
    assert.deepEqual(
      nodes(id).map(({ label }) => label),
      ["test_a.py", "test_b", "[a::b[0]/c]"],
    );
    assert.equal(fileOf(id), "test_a.py");
  });

  test("is nowhere where it is not defined in its file", () => {
    const [, heir, inherited] = nodes("test_a.py::TestHeir::test_inherited", [3, null]);
    assert.deepEqual([heir?.line, inherited?.line], [3, null]);
  });

  test("may be a file as a whole", () => {
    assert.deepEqual(nodes("docs/guide.txt", []), [{ id: "docs/guide.txt", label: "docs/guide.txt" }]);
  });
});

suite("what pytest is given", () => {
  const one = node("a.py::test_one");
  const two = node("a.py::test_two");
  const many = node("a.py::test_many", node("a.py::test_many[1]"), node("a.py::test_many[2]"));
  const file = node("a.py", one, two, many);

  test("is the node itself where nothing is excluded", () => {
    assert.deepEqual(idsToRun([file], new Set()), ["a.py"]);
    assert.deepEqual(idsToRun([many, one], new Set()), ["a.py::test_many", "a.py::test_one"]);
  });

  test("is what remains where something in it is", () => {
    assert.deepEqual(idsToRun([file], new Set([two])), ["a.py::test_one", "a.py::test_many"]);
    const [, second] = many.children;
    assert.ok(second);
    assert.deepEqual(idsToRun([file], new Set([second[1]])), ["a.py::test_one", "a.py::test_two", "a.py::test_many[1]"]);
  });

  test("is nothing where all is excluded", () => {
    assert.deepEqual(idsToRun([file], new Set([file])), []);
  });
});

suite("the explorer", () => {
  test("leaves the tests to the Python extension where that shows them, unless the user says otherwise", () => {
    assert.deepEqual(
      ["auto", "on", "off"].map((setting) => [showsExplorer(setting, false), showsExplorer(setting, true)]),
      [
        [true, false],
        [true, true],
        [false, false],
      ],
    );
  });
});
