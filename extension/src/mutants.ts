/** Mutants beside the code: one in the editor that compares, and commands that have the server run them. */

import { basename } from "node:path";
import * as vscode from "vscode";
import type { Client } from "./client";
import { chosenFolder } from "./folders";
import { ServerCommand, type MutantParams } from "./protocol";

const SCHEME = "testlens-mutant";

/** Shows mutants as documents that nobody can edit. */
export class MutantDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly changeEmitter = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changeEmitter.event;
  private readonly registration = vscode.Disposable.from(
    vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => this.texts.delete(uri.toString())),
  );

  constructor(private readonly client: Client) {}

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? "";
  }

  /** Opens a mutant beside the code that it was made of; without one, the survivor at the cursor. */
  async show(wanted: MutantParams | undefined): Promise<void> {
    const params = wanted ?? survivorAtCursor();
    if (!params) {
      void vscode.window.showInformationMessage("There is no survivor on this line.");
      return;
    }
    const mutant = await this.client.mutant(params);
    if (!mutant) {
      void vscode.window.showWarningMessage("The Testlens server is not running.");
      return;
    }
    if (mutant.text === null) {
      void vscode.window.showWarningMessage(mutant.title);
      return;
    }
    const original = vscode.Uri.parse(params.uri);
    const uri = original.with({ scheme: SCHEME, query: params.name });
    this.texts.set(uri.toString(), mutant.text);
    this.changeEmitter.fire(uri);
    const title = `${basename(original.path)}: ${mutant.title.replaceAll("`", "")}`;
    await vscode.commands.executeCommand("vscode.diff", original, uri, title);
  }

  dispose(): void {
    vscode.Disposable.from(this.registration, this.changeEmitter).dispose();
  }
}

/** Has the server run the mutants of the folder that the user chooses, within its budget. */
export async function mutateWorkspace(client: Client): Promise<void> {
  const folder = await chosenFolder();
  if (folder) {
    await client.execute(ServerCommand.mutate, { folder: folder.uri.toString() });
  }
}

/** Has the server run the mutants of the lines that were changed since the last commit. */
export async function mutateChanged(client: Client): Promise<void> {
  const folder = await chosenFolder();
  if (folder) {
    await client.execute(ServerCommand.mutate, { folder: folder.uri.toString(), changed: "HEAD" });
  }
}

/** Has the server run the mutants of the file in the active editor. */
export async function mutateFile(client: Client): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId === "python") {
    await client.execute(ServerCommand.mutate, { uri: document.uri.toString() });
  }
}

function survivorAtCursor(): MutantParams | undefined {
  const editor = vscode.window.activeTextEditor;
  if (!editor) {
    return undefined;
  }
  const { uri } = editor.document;
  const line = editor.selection.active.line;
  const here = vscode.languages.getDiagnostics(uri).filter(({ source, range }) => {
    return source === "testlens" && range.start.line <= line && line <= range.end.line;
  });
  const names = here.map(({ data }: SurvivorDiagnostic) => data).filter((data) => typeof data === "string");
  const [name] = names;
  return name === undefined ? undefined : { uri: uri.toString(), name };
}

/** The language client keeps what the server gave a diagnostic as its data: a survivor's is its name. */
type SurvivorDiagnostic = vscode.Diagnostic & { readonly data?: unknown };
