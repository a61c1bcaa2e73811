/** Which workspace folder a command or the status bar is about. */

import * as vscode from "vscode";

/** The folder of the active editor, otherwise the first one. */
export function currentFolder(): vscode.WorkspaceFolder | undefined {
  return folderOfActiveEditor() ?? vscode.workspace.workspaceFolders?.[0];
}

/** The folder of the active editor or the only one; asks where that leaves a choice. Undefined if there is none, or none was chosen. */
export async function chosenFolder(): Promise<vscode.WorkspaceFolder | undefined> {
  const folders = vscode.workspace.workspaceFolders ?? [];
  if (folders.length < 2) {
    return folders[0];
  }
  return folderOfActiveEditor() ?? (await vscode.window.showWorkspaceFolderPick());
}

/** The URIs of all workspace folders. */
export function allFolders(): string[] {
  return (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.toString());
}

function folderOfActiveEditor(): vscode.WorkspaceFolder | undefined {
  const document = vscode.window.activeTextEditor?.document;
  return document && vscode.workspace.getWorkspaceFolder(document.uri);
}
