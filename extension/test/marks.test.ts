/** Marks follow the text through an edit, or are gone: none is ever on a wrong line. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { marksAfter, spansOf, type TextChange } from "../src/marks";
import type { MarksParams } from "../src/protocol";

const NO_MARKS: MarksParams = {
  uri: "file:///a.py",
  version: 1,
  covered: [],
  partial: [],
  uncovered: [],
  stale: [],
  failing: [],
  running: [],
  survivor: [],
  gaps: [],
  failures: [],
  percent: 50,
  note: null,
};

/** A change from line:character to line:character. */
function change(from: string, to: string, text: string): TextChange {
  return { range: { start: position(from), end: position(to) }, text };
}

function position(place: string): { line: number; character: number } {
  const [line, character] = place.split(":").map(Number);
  return { line: line ?? NaN, character: character ?? NaN };
}

function uncoveredAfter(uncovered: number[], ...changes: TextChange[]): readonly number[] {
  return marksAfter({ ...NO_MARKS, uncovered }, changes).uncovered;
}

function gapsAfter(gaps: number[], ...changes: TextChange[]): readonly number[] {
  return marksAfter({ ...NO_MARKS, gaps }, changes).gaps;
}

function failuresAfter(line: number, ...changes: TextChange[]): readonly number[] {
  const marks = marksAfter({ ...NO_MARKS, failures: [{ line, message: "assert 1 == 2" }] }, changes);
  return marks.failures.map((failure) => failure.line);
}

suite("marks after an edit", () => {
  test("where a test failed moves with its line", () => {
    assert.deepEqual(failuresAfter(4, change("1:0", "1:0", "import os\n")), [5]);
    assert.deepEqual(failuresAfter(4, change("1:0", "2:0", "")), [3]);
    assert.deepEqual(failuresAfter(4, change("6:0", "6:0", "import os\n")), [4]);
  });

  test("a line that is typed in is no longer the one where a test failed", () => {
    assert.deepEqual(failuresAfter(4, change("4:3", "4:3", "x")), []);
  });

  test("a flat list reads as spans of lines", () => {
    assert.deepEqual(spansOf([2, 4, 9, 9]), [
      { first: 2, last: 4 },
      { first: 9, last: 9 },
    ]);
  });

  test("a letter typed in a line takes that line's mark away, and no other", () => {
    assert.deepEqual(uncoveredAfter([2, 6], change("4:3", "4:3", "x")), [2, 3, 5, 6]);
  });

  test("typing where there is no mark changes nothing, so that nothing has to be painted again", () => {
    const marks = { ...NO_MARKS, uncovered: [2, 6] };
    assert.equal(marksAfter(marks, [change("9:0", "9:0", "x")]), marks);
  });

  test("a whole line pasted above moves marks down and takes none away", () => {
    assert.deepEqual(uncoveredAfter([2, 3], change("1:0", "1:0", "import os\n")), [3, 4]);
  });

  test("a whole line pasted between marked lines bears no mark itself", () => {
    assert.deepEqual(uncoveredAfter([2, 5], change("4:0", "4:0", "pass\n")), [2, 3, 5, 6]);
  });

  test("a whole line deleted moves the marks below up", () => {
    assert.deepEqual(uncoveredAfter([1, 1, 5, 6], change("2:0", "3:0", "")), [1, 1, 4, 5]);
  });

  test("a line broken in two loses its mark, and the lines below move down", () => {
    assert.deepEqual(uncoveredAfter([2, 4], change("3:8", "3:8", "\n    ")), [2, 2, 5, 5]);
  });

  test("two lines joined lose their marks, and the lines below move up", () => {
    assert.deepEqual(uncoveredAfter([2, 6], change("3:4", "4:0", "")), [2, 2, 4, 5]);
  });

  test("lines replaced by more lines, with Windows line ends, lose their marks", () => {
    assert.deepEqual(uncoveredAfter([0, 9], change("2:1", "3:1", "a\r\nb\r\nc")), [0, 1, 5, 10]);
  });

  test("several cursors at once count in lines of the text before the edit, in whatever order they are told", () => {
    const edits = [change("1:0", "1:0", "a\n"), change("5:0", "5:0", "b\n")];
    assert.deepEqual(uncoveredAfter([0, 0, 3, 3, 7, 7], ...edits), [0, 0, 4, 4, 9, 9]);
    assert.deepEqual(uncoveredAfter([0, 0, 3, 3, 7, 7], ...edits.toReversed()), [0, 0, 4, 4, 9, 9]);
  });

  test("everything replaced leaves no mark", () => {
    assert.deepEqual(uncoveredAfter([0, 3, 5, 5], change("0:0", "6:2", "new")), []);
  });

  test("a gap that was touched is visited no more, the one below moves along", () => {
    assert.deepEqual(gapsAfter([2, 6, 8, 9], change("4:3", "4:3", "a\nb")), [9, 10]);
  });

  test("a gap stays when a whole line comes in right above it", () => {
    assert.deepEqual(gapsAfter([2, 6], change("2:0", "2:0", "\n")), [3, 7]);
  });
});
