/** The panel with the report of a folder: the page that `testlens report --html` writes, in the colours of the editor. */

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { Client } from "../client";
import { chosenFolder } from "../folders";
import type { FolderStatus } from "../folderStatus";
import { lineOfReport } from "../reportLine";
import { ReportRequest, type Report } from "../protocol";

/** New results come in bursts, and the page of a large project takes a moment to make. */
const QUIET_MS = 1500;

interface Shown {
  readonly panel: vscode.WebviewPanel;
  readonly folder: vscode.WorkspaceFolder;
}

export class ReportPanel implements vscode.Disposable {
  private shown: Shown | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Whether there are results that the panel does not show yet. */
  private outdated = false;
  private readonly listener: vscode.Disposable;

  constructor(
    private readonly client: Client,
    private readonly folders: FolderStatus,
  ) {
    this.listener = folders.onChange(() => {
      this.outdated = true;
      this.updateSoon();
    });
  }

  /** Shows the report of a folder that the user chooses. */
  async show(): Promise<void> {
    const folder = await chosenFolder();
    const report = folder && (await this.report(folder));
    if (!folder || !report) {
      return;
    }
    if (report.page === null) {
      void vscode.window.showInformationMessage(report.note);
      return;
    }
    this.shown?.panel.dispose();
    this.shown = { panel: this.open(folder, report.page), folder };
    this.outdated = false;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.listener.dispose();
    this.shown?.panel.dispose();
  }

  /** The report of a folder; undefined while no server is running. */
  private report(folder: vscode.WorkspaceFolder): Promise<Report | undefined> {
    const nonce = randomBytes(24).toString("base64");
    return this.client.ask(ReportRequest, { folder: folder.uri.toString(), nonce });
  }

  private open(folder: vscode.WorkspaceFolder, page: string): vscode.WebviewPanel {
    // Nothing is loaded from anywhere: the page has all that it needs in it.
    const options = { enableScripts: true, localResourceRoots: [], retainContextWhenHidden: true };
    const panel = vscode.window.createWebviewPanel("testlens.report", `Report of ${folder.name}`, vscode.ViewColumn.Active, options);
    panel.onDidDispose(() => {
      if (this.shown?.panel === panel) {
        this.shown = undefined;
      }
    });
    panel.onDidChangeViewState(() => {
      this.updateSoon();
    });
    panel.webview.onDidReceiveMessage((message: unknown) => void openLine(folder, message));
    panel.webview.html = page;
    return panel;
  }

  private updateSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.update(), QUIET_MS);
  }

  /** Shows what is newly known; the page itself remembers where the user was. */
  private async update(): Promise<void> {
    const shown = this.shown;
    if (!shown?.panel.visible || !this.outdated || this.folders.unsettled) {
      return;
    }
    this.outdated = false;
    const report = await this.report(shown.folder);
    if (report?.page && this.shown === shown) {
      shown.panel.webview.html = report.page;
    }
  }
}

/** Opens the line that was clicked on. */
async function openLine(folder: vscode.WorkspaceFolder, message: unknown): Promise<void> {
  const place = lineOfReport(message);
  if (!place) {
    return;
  }
  const line = new vscode.Range(place.line, 0, place.line, 0);
  await vscode.window.showTextDocument(vscode.Uri.joinPath(folder.uri, place.path), { selection: line, viewColumn: vscode.ViewColumn.Beside });
}
