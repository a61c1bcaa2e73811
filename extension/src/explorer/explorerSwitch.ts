/** Shows the test explorer, or leaves the Testing view to others, as the settings say. */

import * as vscode from "vscode";
import type { Client } from "../client";
import { onSettingChange, testExplorerSetting, type ExplorerWishes } from "../settings";
import { showsExplorer } from "./choice";
import { TestExplorer } from "./testExplorer";

const PYTHON_EXTENSION = "ms-python.python";
const PYTHON_TESTING = "python.testing";

export class ExplorerSwitch implements vscode.Disposable {
  private explorer: TestExplorer | undefined;
  private client: Client | undefined;
  private readonly listeners: vscode.Disposable[] = [];
  private readonly changeEmitter = new vscode.EventEmitter<void>();
  /** Fires when the explorer comes or goes. */
  readonly onChange = this.changeEmitter.event;

  get isShown(): boolean {
    return this.explorer !== undefined;
  }

  /** What the server is to be told of the explorer. */
  get wishes(): ExplorerWishes {
    return { isShown: isWanted(), isFollowing: this.explorer?.isFollowing ?? false };
  }

  /** Begins to follow the settings, and what the server says. */
  connect(client: Client): void {
    this.client = client;
    this.listeners.push(
      client.onTests((params) => this.explorer?.receiveTests(params)),
      client.onTestRun((params) => this.explorer?.receiveRun(params)),
      client.onState((state) => {
        if (state !== "running") {
          this.explorer?.connectionLost();
        }
      }),
      vscode.workspace.onDidChangeWorkspaceFolders(({ removed }) => this.explorer?.foldersChanged(removed)),
      onSettingChange(() => {
        this.adjust();
      }, "testExplorer"),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(PYTHON_TESTING)) {
          this.adjust();
        }
      }),
      vscode.extensions.onDidChange(() => {
        this.adjust();
      }),
    );
    this.adjust();
  }

  dispose(): void {
    vscode.Disposable.from(...this.listeners, this.changeEmitter).dispose();
    this.explorer?.dispose();
  }

  private adjust(): void {
    const { client } = this;
    const wanted = isWanted();
    void vscode.commands.executeCommand("setContext", "testlens.explorerShown", wanted);
    if (!client || wanted === (this.explorer !== undefined)) {
      return;
    }
    this.explorer?.dispose();
    this.explorer = wanted ? new TestExplorer(client, () => void client.sendOptions()) : undefined;
    void client.sendOptions();
    this.changeEmitter.fire();
  }
}

function isWanted(): boolean {
  const testing = vscode.workspace.getConfiguration(PYTHON_TESTING);
  const isUsed = ["pytestEnabled", "unittestEnabled"].some((name) => testing.get<boolean>(name, false));
  return showsExplorer(testExplorerSetting(), isUsed && vscode.extensions.getExtension(PYTHON_EXTENSION) !== undefined);
}
