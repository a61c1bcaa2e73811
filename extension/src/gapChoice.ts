/** Which gap comes next, seen from the cursor. */

import { spansOf, type LineSpan } from "./marks";
import type { FlatRanges } from "./protocol";

export type Direction = "next" | "previous";

export interface GapChoice {
  readonly gap: LineSpan;
  /** Whether the search went past the end of the document (or its start) and on from the other side. */
  readonly wrapped: boolean;
}

/** The first gap that starts below (or above) the cursor's 0-based line; undefined if there is no gap at all. */
export function chooseGap(gaps: FlatRanges, line: number, direction: Direction): GapChoice | undefined {
  const ordered = spansOf(gaps).sort((one, other) => one.first - other.first);
  if (direction === "next") {
    return chosen(ordered.find((gap) => gap.first > line), ordered[0]);
  }
  return chosen(ordered.findLast((gap) => gap.first < line), ordered.at(-1));
}

function chosen(ahead: LineSpan | undefined, farEnd: LineSpan | undefined): GapChoice | undefined {
  if (ahead) {
    return { gap: ahead, wrapped: false };
  }
  return farEnd && { gap: farEnd, wrapped: true };
}
