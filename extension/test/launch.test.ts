/** What the Python Debugger is asked to start. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { launchOf } from "../src/launch";

suite("debugging a test", () => {
  test("runs pytest on that test alone, in the project's interpreter and folder, with its arguments", () => {
    const launch = launchOf("tests/test_a.py::test_b[1]", "/project", "/project/.venv/bin/python", { args: ["-p", "no:randomly"] });
    assert.equal(launch.type, "debugpy");
    assert.equal(launch.module, "pytest");
    assert.deepEqual(launch.args, ["-p", "no:randomly", "tests/test_a.py::test_b[1]"]);
    assert.deepEqual([launch.cwd, launch.python], ["/project", ["/project/.venv/bin/python"]]);
  });
});
