/** From a line to the tests that run it, and from a test to the lines that it runs. */

import * as vscode from "vscode";
import type { Client } from "./client";
import { debugTests } from "./debugging";
import { spansOf } from "./marks";
import { ServerCommand, type LineParams, type LinkedTest } from "./protocol";

const RUN: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("play"), tooltip: "Run This Test" };
const DEBUG: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("debug-alt"), tooltip: "Debug This Test" };
const RUN_ALL: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("run-all"), tooltip: "Run These Tests" };

/** What can be done with tests of a list. */
interface TestActions {
  readonly run: (tests: readonly LinkedTest[]) => Promise<void>;
  readonly debug: (test: LinkedTest) => Promise<void>;
}

interface TestItem extends vscode.QuickPickItem {
  readonly test: LinkedTest;
}

/** Offers the tests that run the line of the cursor, to go to one or to run them. */
export async function showTestsOfLine(client: Client): Promise<void> {
  const here = cursor();
  const found = here && (await client.testsOfLine(here.params));
  if (!found || found.tests.length === 0) {
    say(found ? found.note : here && "The Testlens server is not running.");
    return;
  }
  const folder = vscode.workspace.getWorkspaceFolder(here.editor.document.uri);
  const actions: TestActions = {
    run: (tests) =>
      client.execute(ServerCommand.runTests, { folder: folder?.uri.toString(), tests: tests.map(({ name }) => name) }),
    debug: ({ name }) => debugTests(client, folder, [name]),
  };
  pick(found.tests, `Tests that run line ${here.params.line + 1}`, actions);
}

/** Peeks at the lines that the test at the cursor runs. */
export async function showLinesOfTest(client: Client): Promise<void> {
  const here = cursor();
  const found = here && (await client.linesOfTest(here.params));
  if (!found || found.files.length === 0) {
    say(found ? found.note : here && "The Testlens server is not running.");
    return;
  }
  const locations = found.files.flatMap(({ uri, lines }) =>
    spansOf(lines).map(({ first, last }) => {
      const range = new vscode.Range(first, 0, last, Number.MAX_SAFE_INTEGER);
      return new vscode.Location(vscode.Uri.parse(uri), range);
    }),
  );
  const { document, selection } = here.editor;
  await vscode.commands.executeCommand("editor.action.peekLocations", document.uri, selection.active, locations, "peek");
}

function pick(tests: readonly LinkedTest[], title: string, { run, debug }: TestActions): void {
  const list = vscode.window.createQuickPick<TestItem>();
  list.title = title;
  list.placeholder = "Go to a test";
  list.matchOnDescription = true;
  list.buttons = [RUN_ALL];
  list.items = tests.map(itemOf);
  const runAndHide = (chosen: readonly LinkedTest[]): void => {
    list.hide();
    void run(chosen);
  };
  list.onDidTriggerButton(() => {
    runAndHide(tests);
  });
  list.onDidTriggerItemButton(({ item, button }) => {
    if (button === DEBUG) {
      list.hide();
      void debug(item.test);
    } else {
      runAndHide([item.test]);
    }
  });
  list.onDidAccept(() => {
    const [item] = list.selectedItems;
    list.hide();
    void (item && open(item.test));
  });
  list.onDidHide(() => {
    list.dispose();
  });
  list.show();
}

function itemOf(test: LinkedTest): TestItem {
  const [file = "", ...names] = test.name.split("::");
  const icon = test.stale ? "history" : test.failed ? "error" : "pass";
  const when = test.stale ? ", not run since the last edits" : "";
  const description = `${file}  ${Math.round(test.seconds * 1000)} ms${when}`;
  return { label: `$(${icon}) ${names.join("::")}`, description, buttons: [RUN, DEBUG], test };
}

async function open({ uri, line }: LinkedTest): Promise<void> {
  if (uri === null) {
    say("The file of this test is gone.");
    return;
  }
  const selection = new vscode.Range(line, 0, line, 0);
  await vscode.window.showTextDocument(vscode.Uri.parse(uri), { selection });
}

function cursor(): { editor: vscode.TextEditor; params: LineParams } | undefined {
  const editor = vscode.window.activeTextEditor;
  return editor && { editor, params: { uri: editor.document.uri.toString(), line: editor.selection.active.line } };
}

function say(note: string | undefined): void {
  void vscode.window.showInformationMessage(note ?? "Open a Python file first.");
}
