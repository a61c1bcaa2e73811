/** The command that writes a test: for the gap at the cursor, or for the one that was picked in the tree. */

import * as vscode from "vscode";
import type { Client } from "./client";
import { riskiestGap, type PlanNode } from "./planTree";
import { ServerCommand, type ScaffoldArguments } from "./protocol";

/** Has the server write a test by its first offer. Rejects, with a message for the user, where it cannot. */
export async function writeTest(client: Client, node: PlanNode | undefined): Promise<void> {
  const wanted = node ? atNode(node) : atCursor();
  if (wanted) {
    await client.execute(ServerCommand.scaffold, wanted);
  }
}

function atNode(node: PlanNode): ScaffoldArguments | undefined {
  const gap = riskiestGap(node);
  return gap && { uri: gap.uri, line: gap.first };
}

function atCursor(): ScaffoldArguments | undefined {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId !== "python") {
    return undefined;
  }
  const { document, selection } = editor;
  return { uri: document.uri.toString(), line: selection.active.line, version: document.version };
}
