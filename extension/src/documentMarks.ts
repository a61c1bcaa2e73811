/** What the server said to paint in each open document, kept in step with edits until it says it anew. */

import * as vscode from "vscode";
import { marksAfter } from "./marks";
import type { MarksParams } from "./protocol";

export class DocumentMarks implements vscode.Disposable {
  private readonly byUri = new Map<string, MarksParams>();
  private readonly changeEmitter = new vscode.EventEmitter<vscode.Uri>();
  /** Fires with the document whose marks have changed. */
  readonly onChange = this.changeEmitter.event;

  private readonly listeners: readonly vscode.Disposable[];

  constructor() {
    this.listeners = [
      vscode.workspace.onDidChangeTextDocument((event) => {
        this.edited(event);
      }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.byUri.delete(uri.toString())),
    ];
  }

  of(document: vscode.TextDocument | undefined): MarksParams | undefined {
    return document && this.byUri.get(document.uri.toString());
  }

  /** Takes marks over, unless they are for a text that the document no longer has. */
  receive(marks: MarksParams): void {
    const uri = vscode.Uri.parse(marks.uri);
    const document = vscode.workspace.textDocuments.find((open) => open.uri.toString() === uri.toString());
    if (!document || (marks.version !== null && marks.version !== document.version)) {
      return;
    }
    this.byUri.set(uri.toString(), marks);
    this.changeEmitter.fire(uri);
  }

  dispose(): void {
    this.changeEmitter.dispose();
    vscode.Disposable.from(...this.listeners).dispose();
  }

  private edited({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    const before = this.of(document);
    if (!before) {
      return;
    }
    const after = marksAfter(before, contentChanges);
    if (after !== before) {
      this.byUri.set(document.uri.toString(), after);
      this.changeEmitter.fire(document.uri);
    }
  }
}
