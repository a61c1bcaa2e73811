/** How a debugger is to start one test. */

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

/** Runs one test (a node id) in the folder `cwd` under the debugger, in the project's interpreter. */
export function launchOf(test: string, cwd: string, python: string, { args }: Pick<DebugTarget, "args">): Launch {
  return {
    name: `Debug ${test}`,
    type: "debugpy",
    request: "launch",
    module: "pytest",
    args: [...args, test],
    cwd,
    python: [python],
    console: "internalConsole",
    justMyCode: true,
  };
}
