/** What the Python Debugger is asked to start. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { launchOf } from "../src/launch";

suite("debugging tests", () => {
  test("runs pytest on them alone, in the project's interpreter and folder, with its arguments", () => {
    const launch = launchOf(["tests/test_a.py::test_b[1]"], "/project", "/project/.venv/bin/python", { args: ["-p", "no:randomly"] });
    assert.equal(launch.type, "debugpy");
    assert.equal(launch.module, "pytest");
    assert.deepEqual(launch.args, ["-p", "no:randomly", "tests/test_a.py::test_b[1]"]);
    assert.deepEqual([launch.cwd, launch.python], ["/project", ["/project/.venv/bin/python"]]);
  });

  test("is named after the test where it is one", () => {
    const names = [["a.py::test_b"], ["a.py", "b.py"], []].map((tests) => launchOf(tests, "/", "python", { args: [] }).name);
    assert.deepEqual(names, ["Debug a.py::test_b", "Debug tests", "Debug tests"]);
  });
});
