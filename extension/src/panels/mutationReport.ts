/** The panel with all mutants of a folder: the viewer of the mutation-testing-elements, and the report of the server. */

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { Client } from "../client";
import { chosenFolder } from "../folders";
import type { FolderStatus } from "../folderStatus";

const VIEWER = ["extension", "dist", "mutation-test-elements.js"];

export class MutationReportPanel implements vscode.Disposable {
  private shown: { readonly panel: vscode.WebviewPanel; readonly folder: vscode.WorkspaceFolder } | undefined;
  private readonly listener: vscode.Disposable;

  constructor(
    private readonly client: Client,
    folders: FolderStatus,
    private readonly extension: vscode.Uri,
  ) {
    this.listener = folders.onChange(() => void this.update());
  }

  /** Brings the panel of a folder that the user chooses to the front. */
  async show(): Promise<void> {
    const folder = await chosenFolder();
    const answer = folder && (await this.client.mutationReport(folder.uri.toString()));
    if (!folder || !answer) {
      return;
    }
    if (!answer.report) {
      void vscode.window.showInformationMessage(answer.note);
      return;
    }
    this.shown?.panel.dispose();
    const panel = this.open(folder.name);
    this.shown = { panel, folder };
    panel.onDidDispose(() => {
      if (this.shown?.panel === panel) {
        this.shown = undefined;
      }
    });
    panel.webview.onDidReceiveMessage(() => void this.update());
  }

  dispose(): void {
    this.listener.dispose();
    this.shown?.panel.dispose();
  }

  private open(name: string): vscode.WebviewPanel {
    const dist = vscode.Uri.joinPath(this.extension, "extension", "dist");
    const options = { enableScripts: true, localResourceRoots: [dist], retainContextWhenHidden: true };
    const panel = vscode.window.createWebviewPanel("testlens.mutants", `Mutants of ${name}`, vscode.ViewColumn.Active, options);
    panel.webview.html = page(panel.webview, vscode.Uri.joinPath(this.extension, ...VIEWER));
    return panel;
  }

  private async update(): Promise<void> {
    if (!this.shown) {
      return;
    }
    const { panel, folder } = this.shown;
    const answer = await this.client.mutationReport(folder.uri.toString());
    if (answer?.report && this.shown.panel === panel) {
      await panel.webview.postMessage(answer.report);
    }
  }
}

/** The page loads nothing but the viewer, and gets the report once it says that it is there. */
function page(webview: vscode.Webview, viewer: vscode.Uri): string {
  const nonce = randomBytes(16).toString("base64");
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'unsafe-inline'; img-src data:`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>Mutants</title>
<script nonce="${nonce}" src="${webview.asWebviewUri(viewer).toString()}"></script>
</head>
<body style="padding: 0">
<mutation-test-report-app title-postfix="Testlens"></mutation-test-report-app>
<script nonce="${nonce}">
const editor = acquireVsCodeApi();
const app = document.querySelector("mutation-test-report-app");
// Light or dark as the editor; high contrast themes are one of both.
const light = document.body.matches(".vscode-light, .vscode-high-contrast-light");
app.theme = light ? "light" : "dark";
addEventListener("message", ({ data }) => { app.report = data; });
editor.postMessage("ready");
</script>
</body>
</html>
`;
}
