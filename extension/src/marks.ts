/** Marks of one document as values: flat ranges of 0-based lines, and what an edit does to them. */

import type { FailureMark, FlatRanges, MarksParams } from "./protocol";

/** How a line can be marked. */
export const MARK_STATES = ["covered", "partial", "uncovered", "stale", "failing", "survivor", "running"] as const;
export type MarkState = (typeof MARK_STATES)[number];

/** Lines `first` to `last`, both inclusive. */
export interface LineSpan {
  readonly first: number;
  readonly last: number;
}

/** An edit in whole lines: old lines `first` up to, but without, `end` are replaced by `inserted` new lines. */
export interface LineEdit {
  readonly first: number;
  readonly end: number;
  readonly inserted: number;
}

/** A change of text as an editor reports it, in coordinates of the text before the change. */
export interface TextChange {
  readonly range: {
    readonly start: { readonly line: number; readonly character: number };
    readonly end: { readonly line: number; readonly character: number };
  };
  readonly text: string;
}

export function spansOf(flat: FlatRanges): LineSpan[] {
  const spans: LineSpan[] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) {
    spans.push({ first: flat[index] ?? 0, last: flat[index + 1] ?? 0 });
  }
  return spans;
}

/** The lines that a change touches. A line that only moves, because whole lines above it came or went, is not touched. */
export function lineEdit({ range: { start, end }, text }: TextChange): LineEdit {
  const newLines = text.split("\n").length - 1;
  const wholeLines = start.character === 0 && end.character === 0 && (text === "" || text.endsWith("\n"));
  if (wholeLines) {
    return { first: start.line, end: end.line, inserted: newLines };
  }
  return { first: start.line, end: end.line + 1, inserted: newLines + 1 };
}

/** The marks after an edit: touched lines lose their mark, lines below move. Returns `marks` itself when nothing changes. */
export function marksAfter(marks: MarksParams, changes: readonly TextChange[]): MarksParams {
  // All changes of one event are in coordinates of the old text: from the bottom up, none moves the next.
  const edits = changes.map(lineEdit).sort((one, other) => other.first - one.first);
  const after = { ...marks, gaps: edits.reduce(regionsAfter, marks.gaps), failures: edits.reduce(failuresAfter, marks.failures) };
  for (const state of MARK_STATES) {
    after[state] = edits.reduce(linesAfter, marks[state]);
  }
  const same = after.gaps === marks.gaps && after.failures === marks.failures;
  const unchanged = same && MARK_STATES.every((state) => after[state] === marks[state]);
  return unchanged ? marks : after;
}

function linesAfter(flat: FlatRanges, edit: LineEdit): FlatRanges {
  return rewritten(flat, edit, ({ first, last }, shift) => {
    const above = first < edit.first ? [first, Math.min(last, edit.first - 1)] : [];
    const below = last >= edit.end ? [Math.max(first, edit.end) + shift, last + shift] : [];
    return [...above, ...below];
  });
}

/** Unlike marks, a region that was touched anywhere is gone as a whole: what is left of it is not a gap that the server named. */
function regionsAfter(flat: FlatRanges, edit: LineEdit): FlatRanges {
  return rewritten(flat, edit, ({ first, last }, shift) => {
    if (last < edit.first) {
      return [first, last];
    }
    return first >= edit.end ? [first + shift, last + shift] : [];
  });
}

/** Where a test failed moves as a mark does. */
function failuresAfter(failures: readonly FailureMark[], { first, end, inserted }: LineEdit): readonly FailureMark[] {
  const shift = inserted - (end - first);
  if (!failures.some(({ line }) => line >= first && (line < end || shift !== 0))) {
    return failures;
  }
  return failures
    .filter(({ line }) => line < first || line >= end)
    .map((failure) => (failure.line < first ? failure : { ...failure, line: failure.line + shift }));
}

function rewritten(flat: FlatRanges, edit: LineEdit, rewrite: (span: LineSpan, shift: number) => number[]): FlatRanges {
  const shift = edit.inserted - (edit.end - edit.first);
  const result = spansOf(flat).flatMap((span) => rewrite(span, shift));
  const same = result.length === flat.length && result.every((line, index) => line === flat[index]);
  return same ? flat : result;
}
