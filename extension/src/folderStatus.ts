/** The last known state of each workspace folder, and the context keys that follow from it. */

import * as vscode from "vscode";
import type { ConnectionState } from "./client";
import type { FolderState, StatusParams } from "./protocol";

/** Where folders differ, the first of these is the state of the window. */
const PRECEDENCE: readonly FolderState[] = ["running", "ready", "loading", "noData"];

export class FolderStatus implements vscode.Disposable {
  private readonly byFolder = new Map<string, StatusParams>();
  private readonly changeEmitter = new vscode.EventEmitter<void>();
  readonly onChange = this.changeEmitter.event;
  private connection: ConnectionState = "starting";

  get serverDown(): boolean {
    return this.connection === "missing" || this.connection === "stopped";
  }

  /** Whether the server has yet to speak, reads data or runs tests, so that what is shown now is about to change. */
  get unsettled(): boolean {
    const states = this.states();
    return !this.serverDown && (states.length === 0 || states.includes("running") || states.includes("loading"));
  }

  /** The URIs of the folders whose tests are running. */
  get running(): readonly string[] {
    return [...this.byFolder.values()].filter(({ state }) => state === "running").map(({ folder }) => folder);
  }

  /** The URIs of the folders of which slow tests are left to the user. */
  get leftOut(): readonly string[] {
    return [...this.byFolder.values()].filter(({ leftOut }) => leftOut > 0).map(({ folder }) => folder);
  }

  of(folder: vscode.WorkspaceFolder | undefined): StatusParams | undefined {
    return folder && this.byFolder.get(folder.uri.toString());
  }

  receive(status: StatusParams): void {
    this.byFolder.set(vscode.Uri.parse(status.folder).toString(), status);
    this.changed();
  }

  connectionChanged(state: ConnectionState): void {
    this.connection = state;
    if (state !== "running") {
      // What an earlier server said about itself, a run in progress above all, is over.
      this.byFolder.clear();
    }
    this.changed();
  }

  forget(folders: readonly vscode.WorkspaceFolder[]): void {
    for (const { uri } of folders) {
      this.byFolder.delete(uri.toString());
    }
    this.changed();
  }

  dispose(): void {
    this.changeEmitter.dispose();
  }

  private changed(): void {
    const state = this.windowState();
    setContext("testlens.state", state);
    setContext("testlens.running", state === "running");
    setContext("testlens.leftOut", this.leftOut.length > 0);
    this.changeEmitter.fire();
  }

  private windowState(): FolderState | "serverMissing" {
    if (this.serverDown) {
      return "serverMissing";
    }
    const states = this.states();
    return PRECEDENCE.find((state) => states.includes(state)) ?? "loading";
  }

  private states(): FolderState[] {
    return [...this.byFolder.values()].map(({ state }) => state);
  }
}

function setContext(key: string, value: unknown): void {
  void vscode.commands.executeCommand("setContext", key, value);
}
