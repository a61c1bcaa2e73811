/** Testlens' tests in VS Code's own Testing view, with what can be done with them there. */

import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import type { Client } from "../client";
import { debugTests } from "../debugging";
import { allFolders } from "../folders";
import { FindTestsRequest, ServerCommand, type TestReport, type TestRunParams, type TestsParams } from "../protocol";
import { idsToRun } from "./choice";
import { addCoverage, loadDetailsWith } from "./nativeCoverage";
import { TestItems } from "./testItems";
import { TestRuns } from "./testRuns";

/** Results that come part by part, as after a start, are shown together. */
const GATHER_MS = 100;

type Handler = (folder: string, tests: readonly string[], request: vscode.TestRunRequest) => Promise<void>;

export class TestExplorer implements vscode.Disposable {
  private readonly controller = vscode.tests.createTestController("testlens", "Testlens");
  private readonly items = new TestItems(this.controller);
  private readonly runs: TestRuns;
  private readonly known = new Map<string, TestReport[]>();
  private readonly followers = new Set<vscode.CancellationToken>();
  private gathering: NodeJS.Timeout | undefined;

  /** `onFollow` hears when the user turns the continuous run on or off. */
  constructor(
    private readonly client: Client,
    private readonly onFollow: () => void,
  ) {
    const { Run, Debug, Coverage } = vscode.TestRunProfileKind;
    const run = this.addProfile("Run", Run, (folder, tests, request) => this.run(folder, tests, request, false), true);
    this.addProfile("Debug", Debug, (folder, tests, request) => this.debug(folder, tests, request));
    const cover = this.addProfile("Coverage", Coverage, (folder, tests, request) => this.run(folder, tests, request, true));
    loadDetailsWith(client, cover);
    this.runs = new TestRuns(
      this.controller,
      this.items,
      () => run,
      (folder) => {
        this.cancel(folder);
      },
    );
    this.controller.refreshHandler = (token) => this.findTests(token);
  }

  /** Whether the user has turned the continuous run on in this view. */
  get isFollowing(): boolean {
    return this.followers.size > 0;
  }

  receiveTests({ folder, reset, tests, gone, reports }: TestsParams): void {
    if (reset) {
      this.items.reset(folder);
      this.known.delete(folder);
    }
    for (const test of tests) {
      this.items.place(folder, test);
    }
    for (const id of gone) {
      this.items.remove(folder, id);
    }
    for (const report of reports) {
      this.items.keep(folder, report);
    }
    this.showSoon(folder, reports);
  }

  receiveRun(params: TestRunParams): void {
    this.runs.receive(params);
  }

  /** The server is gone, with all that it was doing. */
  connectionLost(): void {
    this.runs.giveUpAll();
  }

  foldersChanged(removed: readonly vscode.WorkspaceFolder[]): void {
    for (const [folder, reports] of this.items.foldersChanged(removed)) {
      this.showSoon(folder, reports);
    }
  }

  dispose(): void {
    clearTimeout(this.gathering);
    this.runs.giveUpAll();
    this.controller.dispose();
  }

  private addProfile(label: string, kind: vscode.TestRunProfileKind, handler: Handler, follows = false): vscode.TestRunProfile {
    const handle = async (request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> => {
      if (request.continuous) {
        this.follow(token);
        return;
      }
      await Promise.all([...this.chosen(request)].map(([folder, tests]) => handler(folder, tests, request)));
    };
    return this.controller.createRunProfile(label, kind, handle, true, undefined, follows);
  }

  /** What to run in each folder; no tests means all of them. */
  private *chosen({ include, exclude }: vscode.TestRunRequest): Iterable<[string, string[]]> {
    const excluded = new Set(exclude);
    for (const [folder, root] of this.items.roots()) {
      const items = (include ?? []).filter((item) => this.items.folderOf(item) === folder);
      const isWhole = include === undefined || items.some((item) => this.items.isFolder(item));
      if (isWhole && excluded.size === 0) {
        yield [folder, []];
        continue;
      }
      const tests = idsToRun(isWhole ? [...root].map(([, item]) => item) : items, excluded);
      if (tests.length > 0) {
        yield [folder, tests];
      }
    }
  }

  private async run(
    folder: string,
    tests: readonly string[],
    request: vscode.TestRunRequest,
    withCoverage: boolean,
  ): Promise<void> {
    const run = this.controller.createTestRun(request);
    const job = randomUUID();
    const ended = this.runs.expect(folder, job, run, async () => {
      if (withCoverage) {
        await addCoverage(this.client, this.items, folder, run);
      }
    });
    try {
      await this.client.execute(ServerCommand.runTests, { folder, tests, job });
    } catch (error) {
      this.runs.giveUp(job);
      throw error; // VS Code shows why
    }
    await ended;
  }

  private cancel(folder: string): void {
    // Without a server nothing runs.
    this.client.execute(ServerCommand.cancelRun, { folder }).catch(() => undefined);
  }

  private async debug(folder: string, tests: readonly string[], request: vscode.TestRunRequest): Promise<void> {
    const run = this.controller.createTestRun(request);
    try {
      const workspaceFolder = vscode.workspace.getWorkspaceFolder(vscode.Uri.parse(folder));
      const places = tests.map((id) => this.items.absolute(folder, id));
      await debugTests(this.client, workspaceFolder, places, run);
    } finally {
      run.end();
    }
  }

  /** Has each save run what it can affect, which is what `testlens.continuous` does; its rounds arrive as runs. */
  private follow(token: vscode.CancellationToken): void {
    this.followers.add(token);
    token.onCancellationRequested(() => {
      this.followers.delete(token);
      this.onFollow();
    });
    this.onFollow();
  }

  private async findTests(token: vscode.CancellationToken): Promise<void> {
    for (const folder of allFolders()) {
      try {
        const found = await this.client.ask(FindTestsRequest, { folder }, token);
        if (found?.note) {
          void vscode.window.showWarningMessage(found.note);
        }
      } catch (error) {
        if (!token.isCancellationRequested) {
          void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
        }
      }
    }
  }

  private showSoon(folder: string, reports: readonly TestReport[]): void {
    if (reports.length === 0) {
      return;
    }
    this.known.set(folder, [...(this.known.get(folder) ?? []), ...reports]);
    clearTimeout(this.gathering);
    this.gathering = setTimeout(() => {
      for (const [each, known] of this.known) {
        this.runs.showKnown(each, known);
      }
      this.known.clear();
    }, GATHER_MS);
  }
}
