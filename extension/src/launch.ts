/** How a debugger is to start tests. */

import type { DebugTarget } from "./protocol";

/** A configuration as the Python Debugger extension takes it in launch.json. */
export interface Launch {
  readonly name: string;
  readonly type: "debugpy";
  readonly request: "launch";
  readonly module: "pytest";
  readonly args: readonly string[];
  readonly cwd: string;
  readonly python: readonly string[];
  readonly console: "internalConsole";
  readonly justMyCode: true;
}

/** Runs tests (node ids), all if there are none, in the folder `cwd` under the debugger, in the project's interpreter. */
export function launchOf(tests: readonly string[], cwd: string, python: string, { args }: Pick<DebugTarget, "args">): Launch {
  const [only, ...others] = tests;
  return {
    name: only !== undefined && others.length === 0 ? `Debug ${only}` : "Debug tests",
    type: "debugpy",
    request: "launch",
    module: "pytest",
    args: [...args, ...tests],
    cwd,
    python: [python],
    console: "internalConsole",
    justMyCode: true,
  };
}
