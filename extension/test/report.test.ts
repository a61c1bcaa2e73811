/** The report: its map fills the space that it has, its search finds, and what its panel is told stays in the folder. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { highlight } from "../../server/testlens/report/client/highlight.mjs";
import { step, tree } from "../../server/testlens/report/client/map.mjs";
import { entries, find } from "../../server/testlens/report/client/search.mjs";
import { squarify } from "../../server/testlens/report/client/squarify.mjs";
import { lineOfReport } from "../src/reportLine";

const BOX = { x: 10, y: 20, width: 600, height: 400 };

suite("the map of the report", () => {
  test("gives each file an area in proportion to its statements, all of them within the box", () => {
    const sizes = [600, 600, 400, 300, 200, 200, 100];
    const boxes = squarify(sizes, { x: 0, y: 0, width: 600, height: 400 });
    boxes.forEach(({ x, y, width, height }, index) => {
      assert.ok(Math.abs(width * height - (sizes[index] ?? 0) * 100) < 1e-6);
      assert.ok(x >= 0 && y >= 0 && x + width <= 600 + 1e-9 && y + height <= 400 + 1e-9);
    });
  });

  test("lets no two areas overlap", () => {
    const boxes = squarify(Array.from({ length: 60 }, (_, index) => 60 - index), BOX);
    for (const [index, one] of boxes.entries()) {
      for (const other of boxes.slice(index + 1)) {
        const apart =
          one.x + one.width <= other.x + 1e-6 ||
          other.x + other.width <= one.x + 1e-6 ||
          one.y + one.height <= other.y + 1e-6 ||
          other.y + other.height <= one.y + 1e-6;
        assert.ok(apart);
      }
    }
  });

  test("makes areas as square as the example of those who found the method", () => {
    // Bruls, Huizing and van Wijk: 6, 6, 4, 3, 2, 2, 1 in 6 by 4; the first two areas are one column of 3 by 2.
    const [first, second, third] = squarify([6, 6, 4, 3, 2, 2, 1], { x: 0, y: 0, width: 6, height: 4 });
    assert.deepEqual(first, { x: 0, y: 0, width: 3, height: 2 });
    assert.deepEqual(second, { x: 0, y: 2, width: 3, height: 2 });
    assert.ok(third && Math.abs(third.width - 12 / 7) < 1e-9 && Math.abs(third.height - 7 / 3) < 1e-9);
  });

  test("has nothing to show of nothing", () => {
    assert.deepEqual(squarify([], BOX), []);
    assert.equal(tree([]).size, 0);
  });

  test("puts a folder that holds nothing but a folder together with that", () => {
    const root = tree([
      { path: "src/shop/a.py", statements: 3 },
      { path: "src/shop/sub/b.py", statements: 0 },
    ]);
    assert.equal(root.name, "src/shop");
    assert.deepEqual([...root.children.keys()], ["a.py", "sub"]);
    assert.equal(root.size, 4, "a file without statements is there, too");
  });

  test("has a step of its colours for each level of risk, and one for files without a gap", () => {
    const steps = [0, 19, 20, 35, 50, 60, 80, 100].map((risk) => step({ risk, gaps: 1 }));
    assert.deepEqual(steps, [1, 1, 2, 3, 4, 5, 6, 6]);
    assert.equal(step({ risk: 0, gaps: 0 }), 0);
  });
});

suite("the search of the report", () => {
  const file = { statements: 1, percent: "50.0", risk: 10, gaps: 1, survivors: 0 };
  const all = entries([
    { ...file, path: "src/orders.py", functions: [{ name: "Basket.add", line: 24, risk: 40, percent: "1.0" }] },
    { ...file, path: "src/added.py", functions: [] },
    { ...file, path: "src/<b>ad.py", functions: [] },
  ]);

  test("finds files and functions by parts of their names, those that begin with it first", () => {
    assert.deepEqual(find(all, "ad").map(({ name }) => name), ["added.py", "Basket.add", "<b>ad.py"]);
    assert.deepEqual(find(all, "ORDERS add").map(({ name, line }) => [name, line]), [["Basket.add", 24]]);
  });

  test("finds nothing where nothing is wanted or there", () => {
    assert.deepEqual(find(all, "  "), []);
    assert.deepEqual(find(all, "zebra"), []);
  });
});

suite("the colours of the report's sources", () => {
  const text = (line: readonly [string, string][]) => line.map(([, piece]) => piece).join("");

  test("leave every letter of the text in its line", () => {
    const lines = ['def f(a="x # no"):  # yes', "    '''two", '  "lines"', "    '''", "    return rb'\\'' + 0x1F_u", "", "@decorated", 'x = "open'];
    assert.deepEqual(highlight(lines).map(text), lines);
  });

  test("tell words, texts of several lines, numbers and comments apart", () => {
    const kinds = highlight(["return 1  # if", "x = '''", "if", "'''"]).map((line) => line.filter(([kind]) => kind));
    assert.deepEqual(kinds, [[["word", "return"], ["number", "1"], ["comment", "# if"]], [["string", "'''"]], [["string", "if"]], [["string", "'''"]]]);
  });
});

suite("a click in the panel of the report", () => {
  test("names a line of the folder", () => {
    assert.deepEqual(lineOfReport({ type: "open", path: "src/a b.py", line: 3 }), { path: "src/a b.py", line: 2 });
  });

  test("leads nowhere else", () => {
    for (const path of ["../a.py", "src/../../a.py", "/etc/passwd", "C:\\a.py", "\\\\host\\a", "a\\..\\..\\b", ""]) {
      assert.equal(lineOfReport({ type: "open", path, line: 1 }), undefined, path);
    }
    for (const message of [null, 3, "open", {}, { type: "open" }, { type: "run", path: "a", line: 1 }, { type: "open", path: "a", line: 0 }]) {
      assert.equal(lineOfReport(message), undefined);
    }
  });
});
