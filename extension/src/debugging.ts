/** Debugs a test with the Python Debugger extension, in the interpreter that runs the project's tests. */

import * as vscode from "vscode";
import type { Client } from "./client";
import { launchOf } from "./launch";

const DEBUGGER = "ms-python.debugpy";

/** Starts the debugger on one test (a node id); says what is missing where that cannot be. */
export async function debugTest(client: Client, folder: vscode.WorkspaceFolder | undefined, test: string): Promise<void> {
  if (!vscode.extensions.getExtension(DEBUGGER)) {
    await offerDebugger();
    return;
  }
  const target = folder && (await client.debugTarget({ folder: folder.uri.toString() }));
  if (!folder || !target?.python) {
    void vscode.window.showErrorMessage(target?.note ?? "The Testlens server is not running.");
    return;
  }
  const launch = launchOf(test, folder.uri.fsPath, target.python, target);
  if (!(await vscode.debug.startDebugging(folder, { ...launch }))) {
    void vscode.window.showErrorMessage(`The debugger did not start ${test}. The output of the Python Debugger says why.`);
  }
}

async function offerDebugger(): Promise<void> {
  const show = "Show the Extension";
  const message = "Debugging a test needs the Python Debugger extension (ms-python.debugpy), which is not installed.";
  if ((await vscode.window.showErrorMessage(message, show)) === show) {
    await vscode.commands.executeCommand("workbench.extensions.search", `@id:${DEBUGGER}`);
  }
}
