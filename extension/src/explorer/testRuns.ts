/** Runs of the server as runs of the test explorer, whoever began them. */

import * as vscode from "vscode";
import type { TestReport, TestRunParams } from "../protocol";
import type { TestItems } from "./testItems";

interface ActiveRun {
  readonly run: vscode.TestRun;
  /** What is still to be done before the run ends. */
  readonly finish?: () => Promise<void>;
  readonly ended?: () => void;
  readonly failed?: (error: unknown) => void;
}

export class TestRuns {
  private readonly active = new Map<string, ActiveRun>();

  constructor(
    private readonly controller: vscode.TestController,
    private readonly items: TestItems,
    private readonly profile: () => vscode.TestRunProfile | undefined,
    private readonly cancel: (folder: string) => void,
  ) {}

  /** Expects the events of a run that the user began in the explorer; resolves once it has ended. */
  expect(folder: string, job: string, run: vscode.TestRun, finish: () => Promise<void>): Promise<void> {
    this.endWhenCancelled(folder, job, run);
    return new Promise((ended, failed) => {
      this.active.set(job, { run, finish, ended, failed });
    });
  }

  /** Ends a run of which nothing more is to be expected. */
  giveUp(job: string): void {
    const active = this.active.get(job);
    this.active.delete(job);
    active?.run.end();
    active?.ended?.();
  }

  /** Ends all runs: the server that made them is gone. */
  giveUpAll(): void {
    for (const job of [...this.active.keys()]) {
      this.giveUp(job);
    }
  }

  /** Shows what the server tells of a run. */
  receive({ folder, job, continuous, started, finished, details, ended }: TestRunParams): void {
    const isEmpty = started.length === 0 && finished.length === 0;
    if (!this.active.has(job) && !isEmpty) {
      const run = this.begin(continuous);
      this.endWhenCancelled(folder, job, run);
      this.active.set(job, { run });
    }
    const active = this.active.get(job);
    if (!active) {
      return; // nothing has run in it
    }
    for (const test of started) {
      active.run.started(this.items.find(folder, test.id) ?? this.items.place(folder, test));
    }
    for (const report of finished) {
      this.items.keep(folder, report);
      const item = this.items.ensure(folder, report.id);
      show(active.run, item, report);
      active.run.appendOutput(outputOf(report, details[report.id]), undefined, item);
    }
    if (ended) {
      void this.end(job, active);
    }
  }

  /** Shows what tests did in runs that nobody saw: before this window was open, or elsewhere. */
  showKnown(folder: string, reports: readonly TestReport[]): void {
    // As one that nobody asked for, so that no view comes up for it; VS Code need not remember what the server does.
    const run = this.begin(true, "Last known results", false);
    for (const report of reports) {
      const item = this.items.find(folder, report.id);
      if (item) {
        show(run, item, report);
      }
    }
    run.end();
  }

  private async end(job: string, { finish, failed }: ActiveRun): Promise<void> {
    try {
      await finish?.();
    } catch (error) {
      failed?.(error);
    }
    this.giveUp(job);
  }

  private endWhenCancelled(folder: string, job: string, run: vscode.TestRun): void {
    run.token.onCancellationRequested(() => {
      // The token of a run that is over must not end the one that has begun since.
      if (this.active.has(job)) {
        this.cancel(folder);
      }
    });
  }

  private begin(continuous: boolean, name?: string, persist?: boolean): vscode.TestRun {
    const request = new vscode.TestRunRequest(undefined, undefined, this.profile(), continuous, true);
    return this.controller.createTestRun(request, name, persist);
  }
}

function show(run: vscode.TestRun, item: vscode.TestItem, report: TestReport): void {
  const milliseconds = report.seconds * 1000;
  switch (report.outcome) {
    case "passed":
    case "xpassed":
      run.passed(item, milliseconds);
      break;
    case "skipped":
    case "xfailed":
      run.skipped(item);
      break;
    case "failed":
      run.failed(item, messageOf(report), milliseconds);
      break;
    case "error":
      run.errored(item, messageOf(report), milliseconds);
      break;
  }
}

function messageOf({ message, expected, actual, uri, line }: TestReport): vscode.TestMessage {
  const text = message === "" ? "No reason was given." : message;
  const compares = expected !== null && actual !== null;
  const result = compares ? vscode.TestMessage.diff(text, expected, actual) : new vscode.TestMessage(text);
  if (uri !== null && line !== null) {
    result.location = new vscode.Location(vscode.Uri.parse(uri), new vscode.Position(line, 0));
  }
  return result;
}

/** One line, as `pytest -v` has it, and pytest's own words on a failure. The view is a terminal. */
function outputOf({ id, outcome, seconds }: TestReport, details: string | undefined): string {
  const lines = [`${id} ${outcome.toUpperCase()} (${Math.round(seconds * 1000)} ms)`, ...(details?.split("\n") ?? [])];
  return lines.map((line) => `${line}\r\n`).join("");
}
