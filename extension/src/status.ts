/** The status bar item: coverage, the distance to the target, and a run in progress. A click opens the plan. */

import { basename } from "node:path";
import * as vscode from "vscode";
import type { DocumentMarks } from "./documentMarks";
import type { FolderStatus } from "./folderStatus";
import { currentFolder } from "./folders";
import { spokenText, statusText, tooltipLines, type StatusView } from "./statusText";

const RUN_LEFT_OUT = "testlens.runLeftOut";

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("testlens.status", vscode.StatusBarAlignment.Left, 10);
  private readonly listeners: readonly vscode.Disposable[];

  constructor(
    private readonly folders: FolderStatus,
    private readonly marks: DocumentMarks,
  ) {
    this.item.name = "Testlens";
    this.item.command = "testlens.openPlan";
    const update = (): void => {
      this.update();
    };
    this.listeners = [
      folders.onChange(update),
      marks.onChange(update),
      vscode.window.onDidChangeActiveTextEditor(update),
    ];
    this.update();
  }

  dispose(): void {
    vscode.Disposable.from(this.item, ...this.listeners).dispose();
  }

  private update(): void {
    const view = this.view();
    this.item.text = statusText(view);
    this.item.tooltip = tooltip(view);
    this.item.accessibilityInformation = { label: spokenText(view) };
    if (vscode.workspace.workspaceFolders) {
      this.item.show();
    } else {
      this.item.hide();
    }
  }

  private view(): StatusView {
    const document = vscode.window.activeTextEditor?.document;
    const marks = this.marks.of(document);
    return {
      status: this.folders.of(currentFolder()),
      serverDown: this.folders.serverDown,
      file: document && marks && { name: basename(document.fileName), percent: marks.percent, note: marks.note },
    };
  }
}

function tooltip(view: StatusView): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString("**Testlens**\n\n");
  for (const line of tooltipLines(view)) {
    // Two spaces before the end of a line break it in Markdown.
    markdown.appendText(line).appendMarkdown("  \n");
  }
  if (view.status && view.status.leftOut > 0) {
    markdown.isTrusted = { enabledCommands: [RUN_LEFT_OUT] };
    markdown.appendMarkdown(`[Run the slow tests](command:${RUN_LEFT_OUT})`);
  }
  return markdown;
}
