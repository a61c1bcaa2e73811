/** Saves documents when the server has changed them and is about to run what is in them. */

import * as vscode from "vscode";

/** Whether all of these documents are on disk now as they are in the editor. */
export async function saveDocuments(uris: readonly string[]): Promise<boolean> {
  const saved = await Promise.all(uris.map(saveDocument));
  return saved.every(Boolean);
}

async function saveDocument(uri: string): Promise<boolean> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri));
  return document.save();
}
