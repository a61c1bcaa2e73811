/** Debugs tests with the Python Debugger extension, in the interpreter that runs the project's tests. */

import * as vscode from "vscode";
import type { Client } from "./client";
import { launchOf } from "./launch";
import { DebugTargetRequest } from "./protocol";

const DEBUGGER = "ms-python.debugpy";

/**
 * Debugs tests (node ids), all of the folder if there are none; says what is missing where that cannot be.
 * With `testRun`, which then has no end before the session's, cancelling that ends the session.
 */
export async function debugTests(
  client: Client,
  folder: vscode.WorkspaceFolder | undefined,
  tests: readonly string[],
  testRun?: vscode.TestRun,
): Promise<void> {
  if (!vscode.extensions.getExtension(DEBUGGER)) {
    void offerDebugger();
    return;
  }
  const target = folder && (await client.ask(DebugTargetRequest, { folder: folder.uri.toString() }));
  if (!folder || !target?.python) {
    const note = target?.note ?? "The Testlens server is not running.";
    if (note !== "") {
      void vscode.window.showErrorMessage(note);
    }
    return;
  }
  const launch = launchOf(tests, folder.uri.fsPath, target.python, target);
  const start = () => vscode.debug.startDebugging(folder, { ...launch }, testRun ? { testRun } : undefined);
  if (!(testRun ? await untilEnded(testRun, start) : await start())) {
    void vscode.window.showErrorMessage("The debugger did not start. The output of the Python Debugger says why.");
  }
}

/** Starts a session, and waits for its end; whether it began. Cancelling the run ends it. */
async function untilEnded(testRun: vscode.TestRun, start: () => Thenable<boolean>): Promise<boolean> {
  let session: vscode.DebugSession | undefined;
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const listeners = vscode.Disposable.from(
    vscode.debug.onDidStartDebugSession((begun) => {
      session ??= begun.type === "debugpy" ? begun : undefined;
    }),
    vscode.debug.onDidTerminateDebugSession((over) => {
      if (over === session) {
        end();
      }
    }),
    testRun.token.onCancellationRequested(() => void vscode.debug.stopDebugging(session)),
  );
  try {
    const hasBegun = await start();
    if (hasBegun) {
      await ended;
    }
    return hasBegun;
  } finally {
    listeners.dispose();
  }
}

async function offerDebugger(): Promise<void> {
  const show = "Show the Extension";
  const message = `Debugging a test needs the Python Debugger extension (${DEBUGGER}), which is not installed.`;
  if ((await vscode.window.showErrorMessage(message, show)) === show) {
    await vscode.commands.executeCommand("workbench.extensions.search", `@id:${DEBUGGER}`);
  }
}
