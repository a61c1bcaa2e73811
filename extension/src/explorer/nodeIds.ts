/** pytest's node ids as the tree that the test explorer shows: file, classes, function, parameters. */

import type { PlacedTest } from "../protocol";

/** One node on the way to a test. Its id is what pytest takes for all tests below it. */
export interface TestNode {
  readonly id: string;
  readonly label: string;
  /** 0-based; null where the node is not defined in its file, undefined where it is a file. */
  readonly line?: number | null;
}

/** The nodes from the file down to the test itself. */
export function nodesOf({ id, lines }: PlacedTest): TestNode[] {
  const { file, names, parameters } = partsOf(id);
  // By its whole path: a name alone would be that of many a file.
  const nodes: TestNode[] = [{ id: file, label: file }];
  let path = file;
  names.forEach((name, index) => {
    path = `${path}::${name}`;
    nodes.push({ id: path, label: name, line: lines[index] ?? null });
  });
  if (parameters !== "") {
    nodes.push({ id, label: parameters, line: lines.at(-1) ?? null });
  }
  return nodes;
}

/** The file that a node id names. */
export function fileOf(id: string): string {
  return partsOf(id).file;
}

/** Parameters are whatever stands between the first bracket after the file and the end: they may hold anything. */
function partsOf(id: string): { file: string; names: string[]; parameters: string } {
  const start = id.indexOf("::");
  if (start < 0) {
    return { file: id, names: [], parameters: "" };
  }
  const rest = id.slice(start + 2);
  const bracket = rest.indexOf("[");
  const named = bracket < 0 ? rest : rest.slice(0, bracket);
  return { file: id.slice(0, start), names: named.split("::"), parameters: bracket < 0 ? "" : rest.slice(bracket) };
}
