/** From a line to the tests that run it, and from a test to the lines that it runs. */

import * as vscode from "vscode";
import type { Client } from "./client";
import { spansOf } from "./marks";
import { ServerCommand, type LineParams, type LinkedTest } from "./protocol";

const RUN: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("play"), tooltip: "Run This Test" };
const RUN_ALL: vscode.QuickInputButton = { iconPath: new vscode.ThemeIcon("run-all"), tooltip: "Run These Tests" };

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
  const run = async (tests: readonly LinkedTest[]): Promise<void> => {
    const folder = vscode.workspace.getWorkspaceFolder(here.editor.document.uri)?.uri.toString();
    await client.execute(ServerCommand.runTests, { folder, tests: tests.map(({ name }) => name) });
  };
  pick(found.tests, `Tests that run line ${here.params.line + 1}`, run);
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

function pick(tests: readonly LinkedTest[], title: string, run: (tests: readonly LinkedTest[]) => Promise<void>): void {
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
  list.onDidTriggerItemButton(({ item }) => {
    runAndHide([item.test]);
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
  const icon = test.failed ? "error" : "pass";
  const milliseconds = Math.round(test.seconds * 1000);
  return { label: `$(${icon}) ${names.join("::")}`, description: `${file}  ${milliseconds} ms`, buttons: [RUN], test };
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
