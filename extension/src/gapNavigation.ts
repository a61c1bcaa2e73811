/** Moves the cursor from gap to gap in the active editor. */

import * as vscode from "vscode";
import type { DocumentMarks } from "./documentMarks";
import { chooseGap, type Direction } from "./gapChoice";

const MESSAGE_MS = 4000;

/** Goes to the next or previous gap. Past the last one it goes on from the other end, and says so in the status bar. */
export function goToGap(marks: DocumentMarks, direction: Direction): void {
  const editor = vscode.window.activeTextEditor;
  if (!editor) {
    return;
  }
  const known = marks.of(editor.document);
  const choice = chooseGap(known?.gaps ?? [], editor.selection.active.line, direction);
  if (!choice) {
    say(known?.note ?? "no gaps in this file");
    return;
  }
  const column = editor.document.lineAt(choice.gap.first).firstNonWhitespaceCharacterIndex;
  const place = new vscode.Position(choice.gap.first, column);
  editor.selection = new vscode.Selection(place, place);
  editor.revealRange(new vscode.Range(place, place), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  if (choice.wrapped) {
    say(direction === "next" ? "went on from the first gap" : "went on from the last gap");
  }
}

function say(message: string): void {
  vscode.window.setStatusBarMessage(`Testlens: ${message}`, MESSAGE_MS);
}
