/**
 * Paints the marks beside the text.
 *
 * A mark is the left border of its lines: it stays out of the glyph margin, where an icon of an extension takes the click that sets
 * a breakpoint. Width and style of the border tell the states apart without colour. Where a test failed, its message stands behind
 * the text.
 */

import * as vscode from "vscode";
import type { DocumentMarks } from "./documentMarks";
import type { ExplorerSwitch } from "./explorer/explorerSwitch";
import { MARK_STATES, spansOf, type MarkState } from "./marks";
import type { FailureMark } from "./protocol";
import { guttersEnabled, onSettingChange } from "./settings";

const SHOWN_KEY = "testlens.guttersShown";

interface Look {
  readonly width: number;
  readonly style: "solid" | "dashed" | "dotted" | "double";
  /** Whether the state is worth a mark in the overview ruler. */
  readonly ruler: boolean;
}

const LOOKS: Readonly<Record<MarkState, Look>> = {
  covered: { width: 2, style: "solid", ruler: false },
  partial: { width: 4, style: "dashed", ruler: true },
  uncovered: { width: 5, style: "solid", ruler: true },
  stale: { width: 3, style: "dotted", ruler: false },
  failing: { width: 6, style: "double", ruler: true },
  // Large round dots: the line ran, and holds here and there.
  survivor: { width: 6, style: "dotted", ruler: true },
  // Two hairlines, like the rails of something that moves.
  running: { width: 3, style: "double", ruler: false },
};
const FAILED = "failed";
const FAILED_LOOK: Look = { width: 9, style: "solid", ruler: true };
const LONGEST_MESSAGE = 160;

export class Gutters implements vscode.Disposable {
  private readonly types = MARK_STATES.map((state) => ({ state, type: decorationType(state, LOOKS[state]) }));
  private readonly failedType = decorationType(FAILED, FAILED_LOOK);
  private readonly messageType = vscode.window.createTextEditorDecorationType({
    after: { margin: "0 0 0 2em", fontStyle: "italic", color: new vscode.ThemeColor(`testlens.${FAILED}`) },
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
  });
  private readonly listeners: readonly vscode.Disposable[];

  constructor(
    private readonly marks: DocumentMarks,
    private readonly memory: vscode.Memento,
    private readonly explorer: Pick<ExplorerSwitch, "isShown" | "onChange">,
  ) {
    this.listeners = [
      explorer.onChange(() => {
        this.paintAll();
      }),
      marks.onChange((uri) => {
        this.paintDocument(uri);
      }),
      vscode.window.onDidChangeVisibleTextEditors(() => {
        this.paintAll();
      }),
      // A change of the setting is the newer wish, so it ends what a command asked for.
      onSettingChange(() => void this.remember(undefined), "gutters.enabled"),
    ];
    this.applyShown();
  }

  async show(): Promise<void> {
    await this.remember(true);
  }

  async hide(): Promise<void> {
    await this.remember(false);
  }

  async toggle(): Promise<void> {
    await this.remember(!this.shown);
  }

  dispose(): void {
    vscode.Disposable.from(...this.listeners, ...this.types.map(({ type }) => type), this.failedType, this.messageType).dispose();
  }

  private get shown(): boolean {
    return this.memory.get<boolean>(SHOWN_KEY) ?? guttersEnabled();
  }

  private async remember(shown: boolean | undefined): Promise<void> {
    await this.memory.update(SHOWN_KEY, shown);
    this.applyShown();
  }

  private applyShown(): void {
    void vscode.commands.executeCommand("setContext", SHOWN_KEY, this.shown);
    this.paintAll();
  }

  private paintAll(): void {
    for (const editor of vscode.window.visibleTextEditors) {
      this.paint(editor);
    }
  }

  private paintDocument(uri: vscode.Uri): void {
    for (const editor of vscode.window.visibleTextEditors) {
      if (editor.document.uri.toString() === uri.toString()) {
        this.paint(editor);
      }
    }
  }

  private paint(editor: vscode.TextEditor): void {
    const marks = this.shown ? this.marks.of(editor.document) : undefined;
    for (const { state, type } of this.types) {
      const spans = spansOf(marks?.[state] ?? []);
      editor.setDecorations(
        type,
        spans.map(({ first, last }) => new vscode.Range(first, 0, last, 0)),
      );
    }
    this.paintFailures(editor, marks?.failures ?? []);
  }

  private paintFailures(editor: vscode.TextEditor, failures: readonly FailureMark[]): void {
    editor.setDecorations(
      this.failedType,
      failures.map(({ line }) => new vscode.Range(line, 0, line, 0)),
    );
    // Of the tests in its Testing view, VS Code itself says there what they failed with: one over the other could not be read.
    const told = this.explorer.isShown ? [] : failures;
    editor.setDecorations(
      this.messageType,
      told.map(({ line, message }) => ({
        range: new vscode.Range(line, Number.MAX_SAFE_INTEGER, line, Number.MAX_SAFE_INTEGER),
        renderOptions: { after: { contentText: `✗ ${shortened(message)}` } },
      })),
    );
  }
}

function shortened(message: string): string {
  return message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message;
}

function decorationType(state: string, { width, style, ruler }: Look): vscode.TextEditorDecorationType {
  const color = new vscode.ThemeColor(`testlens.${state}`);
  return vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    borderWidth: `0 0 0 ${width}px`,
    borderStyle: style,
    borderColor: color,
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
    ...(ruler && { overviewRulerColor: color, overviewRulerLane: vscode.OverviewRulerLane.Left }),
  });
}
