/** The tests of all folders as items of the test explorer: made, moved and removed as the server tells. */

import * as vscode from "vscode";
import type { PlacedTest, TestReport } from "../protocol";
import { fileOf, nodesOf, type TestNode } from "./nodeIds";

interface FolderTests {
  readonly uri: vscode.Uri;
  readonly items: Map<string, vscode.TestItem>;
  readonly places: Map<string, PlacedTest>;
  readonly reports: Map<string, TestReport>;
}

export class TestItems {
  private readonly folders = new Map<string, FolderTests>();
  private readonly owners = new WeakMap<vscode.TestItem, FolderTests>();
  private severalFolders = hasSeveralFolders();

  constructor(private readonly controller: vscode.TestController) {}

  /** The item of a test, if there is one. */
  find(folder: string, id: string): vscode.TestItem | undefined {
    return this.of(folder).items.get(id);
  }

  /** The item of a test, made where there is none; where it lies is said later. */
  ensure(folder: string, id: string): vscode.TestItem {
    return this.find(folder, id) ?? this.place(folder, { id, uri: null, lines: [] });
  }

  /** Makes the item of a test, with those around it, or moves them to where they are now. */
  place(folder: string, test: PlacedTest): vscode.TestItem {
    const tests = this.of(folder);
    tests.places.set(test.id, test);
    const uri = test.uri === null ? vscode.Uri.joinPath(tests.uri, fileOf(test.id)) : vscode.Uri.parse(test.uri);
    let around = this.root(tests);
    let item: vscode.TestItem | undefined;
    for (const node of nodesOf(test)) {
      item = tests.items.get(node.id) ?? this.create(tests, node, uri, around);
      moveTo(item, node);
      around = item.children;
    }
    if (!item) {
      throw new Error("A test has a file at least.");
    }
    return item;
  }

  /** Remembers what came of a test, so that it can be shown again. */
  keep(folder: string, report: TestReport): void {
    this.of(folder).reports.set(report.id, report);
  }

  /** Removes a test, and those around it that hold no other. */
  remove(folder: string, id: string): void {
    const tests = this.of(folder);
    tests.places.delete(id);
    tests.reports.delete(id);
    let item = tests.items.get(id);
    while (item?.children.size === 0) {
      const { parent } = item;
      (parent?.children ?? this.controller.items).delete(item.id);
      tests.items.delete(item.id);
      item = parent;
    }
  }

  /** Forgets all tests of a folder. */
  reset(folder: string): void {
    const tests = this.of(folder);
    for (const id of [...tests.places.keys()]) {
      this.remove(folder, id);
    }
  }

  /** Takes other folders into account: with several, each is a node of its own. Returns what is to be shown again. */
  foldersChanged(removed: readonly vscode.WorkspaceFolder[]): [string, TestReport[]][] {
    for (const { uri } of removed) {
      this.reset(uri.toString());
      this.folders.delete(uri.toString());
    }
    if (this.severalFolders === hasSeveralFolders()) {
      return [];
    }
    this.severalFolders = hasSeveralFolders();
    this.controller.items.replace([]);
    return [...this.folders].map(([folder, tests]) => {
      tests.items.clear();
      for (const test of [...tests.places.values()]) {
        this.place(folder, test);
      }
      return [folder, [...tests.reports.values()]];
    });
  }

  /** The folders that have tests, and the items right below each. */
  *roots(): Iterable<[folder: string, items: vscode.TestItemCollection]> {
    for (const [folder, tests] of this.folders) {
      if (tests.places.size > 0) {
        yield [folder, this.root(tests)];
      }
    }
  }

  /** The folder that an item belongs to. */
  folderOf(item: vscode.TestItem): string | undefined {
    return this.owners.get(item)?.uri.toString();
  }

  /** A node id that pytest takes wherever it is started: with the whole path of its file. */
  absolute(folder: string, id: string): string {
    const path = this.find(folder, id)?.uri?.fsPath;
    return path === undefined ? id : path + id.slice(fileOf(id).length);
  }

  /** Whether an item stands for a whole folder. */
  isFolder(item: vscode.TestItem): boolean {
    return item.id === this.folderOf(item);
  }

  private of(folder: string): FolderTests {
    const uri = vscode.Uri.parse(folder);
    const known = this.folders.get(uri.toString());
    const tests = known ?? { uri, items: new Map(), places: new Map(), reports: new Map() };
    this.folders.set(uri.toString(), tests);
    return tests;
  }

  /** What the files of a folder are put in. */
  private root(tests: FolderTests): vscode.TestItemCollection {
    if (!this.severalFolders) {
      return this.controller.items;
    }
    const id = tests.uri.toString();
    const name = vscode.workspace.getWorkspaceFolder(tests.uri)?.name ?? id;
    const item = tests.items.get(id) ?? this.create(tests, { id, label: name }, tests.uri, this.controller.items);
    return item.children;
  }

  private create(
    tests: FolderTests,
    node: TestNode,
    uri: vscode.Uri,
    around: vscode.TestItemCollection,
  ): vscode.TestItem {
    const item = this.controller.createTestItem(node.id, node.label, uri);
    tests.items.set(node.id, item);
    this.owners.set(item, tests);
    around.add(item);
    return item;
  }
}

function moveTo(item: vscode.TestItem, { line }: TestNode): void {
  if (typeof line === "number" && item.range?.start.line !== line) {
    item.range = new vscode.Range(line, 0, line, 0);
  }
}

function hasSeveralFolders(): boolean {
  return (vscode.workspace.workspaceFolders?.length ?? 0) > 1;
}
