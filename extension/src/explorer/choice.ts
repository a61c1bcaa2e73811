/** What the user chose in the test explorer, as pytest takes it; and whether there is an explorer at all. */

/** A node of the tree, as far as it matters here. */
export interface ChosenNode {
  readonly id: string;
  readonly children: Iterable<readonly [string, ChosenNode]>;
}

/** The ids to give to pytest for these nodes without those that are excluded: whole nodes wherever that says the same. */
export function idsToRun(nodes: Iterable<ChosenNode>, excluded: ReadonlySet<ChosenNode>): string[] {
  return [...nodes].flatMap((node) => {
    if (excluded.has(node)) {
      return [];
    }
    return holdsAny(node, excluded) ? idsToRun(childrenOf(node), excluded) : [node.id];
  });
}

function holdsAny(node: ChosenNode, excluded: ReadonlySet<ChosenNode>): boolean {
  return excluded.size > 0 && childrenOf(node).some((child) => excluded.has(child) || holdsAny(child, excluded));
}

function childrenOf(node: ChosenNode): ChosenNode[] {
  return [...node.children].map(([, child]) => child);
}

/** `testlens.testExplorer`: "auto" leaves the tests to the Python extension where that shows them. */
export function showsExplorer(setting: string, pythonExtensionShowsTests: boolean): boolean {
  return setting === "on" || (setting !== "off" && !pythonExtensionShowsTests);
}
