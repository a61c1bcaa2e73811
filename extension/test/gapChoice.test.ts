/** Next and previous gap visit every gap, and go round at the ends. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { chooseGap } from "../src/gapChoice";

const GAPS = [4, 6, 10, 10, 20, 25];

suite("next and previous gap", () => {
  test("next is the first gap that starts below the cursor", () => {
    assert.deepEqual(chooseGap(GAPS, 0, "next"), { gap: { first: 4, last: 6 }, wrapped: false });
    assert.deepEqual(chooseGap(GAPS, 4, "next"), { gap: { first: 10, last: 10 }, wrapped: false });
  });

  test("previous is the last gap that starts above the cursor", () => {
    assert.deepEqual(chooseGap(GAPS, 20, "previous"), { gap: { first: 10, last: 10 }, wrapped: false });
  });

  test("previous, from within a gap, goes to where that gap starts", () => {
    assert.deepEqual(chooseGap(GAPS, 23, "previous"), { gap: { first: 20, last: 25 }, wrapped: false });
  });

  test("past the last gap comes the first one, and it is said so", () => {
    assert.deepEqual(chooseGap(GAPS, 20, "next"), { gap: { first: 4, last: 6 }, wrapped: true });
  });

  test("before the first gap comes the last one, and it is said so", () => {
    assert.deepEqual(chooseGap(GAPS, 4, "previous"), { gap: { first: 20, last: 25 }, wrapped: true });
  });

  test("gaps that come in another order are visited from top to bottom", () => {
    assert.equal(chooseGap([20, 25, 4, 6], 0, "next")?.gap.first, 4);
  });

  test("a file without gaps has nowhere to go", () => {
    assert.equal(chooseGap([], 3, "next"), undefined);
  });
});
