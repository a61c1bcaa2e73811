/** What Testlens knows of coverage in VS Code's own view of it. */

import * as vscode from "vscode";
import type { Client } from "../client";
import { spansOf } from "../marks";
import { CoverageRequest, FileCoverageRequest, type CoveredFile, type FlatRange, type StatementDetail } from "../protocol";
import type { TestItems } from "./testItems";

/** Adds the coverage of a folder to a run: all that is known, so that it is the percentage of the status bar. */
export async function addCoverage(client: Client, items: TestItems, folder: string, run: vscode.TestRun): Promise<void> {
  const coverage = await client.ask(CoverageRequest, { folder });
  const tests = coverage?.tests.map((id) => items.find(folder, id)) ?? [];
  for (const file of coverage?.files ?? []) {
    if (file.statements[1] > 0) {
      run.addCoverage(fileCoverage(file, tests));
    }
  }
}

/** Gives VS Code a file statement by statement when it asks for that, of all tests or of one. */
export function loadDetailsWith(client: Client, profile: vscode.TestRunProfile): void {
  const load = async (uri: vscode.Uri, test?: string): Promise<vscode.FileCoverageDetail[]> => {
    const params = { uri: uri.toString(), ...(test === undefined ? {} : { test }) };
    const found = await client.ask(FileCoverageRequest, params);
    const functions = found?.functions.map(({ name, range, ran }) => {
      return new vscode.DeclarationCoverage(name, ran, rangeOf(range));
    });
    return [...(found?.statements.map(statementCoverage) ?? []), ...(functions ?? [])];
  };
  profile.loadDetailedCoverage = (_run, { uri }) => load(uri);
  profile.loadDetailedCoverageForTest = (_run, { uri }, test) => load(uri, test.id);
}

function fileCoverage(file: CoveredFile, tests: readonly (vscode.TestItem | undefined)[]): vscode.FileCoverage {
  const [statements, allStatements] = file.statements;
  const [branches, allBranches] = file.branches;
  const ran = spansOf(file.tests).flatMap(({ first, last }) => tests.slice(first, last + 1));
  // No count of functions: VS Code would add it to the percentage, which would be no longer that of coverage.py.
  return new vscode.FileCoverage(
    vscode.Uri.parse(file.uri),
    new vscode.TestCoverageCount(statements, allStatements),
    allBranches > 0 ? new vscode.TestCoverageCount(branches, allBranches) : undefined,
    undefined,
    ran.filter((test) => test !== undefined),
  );
}

function statementCoverage({ range, ran, branches }: StatementDetail): vscode.StatementCoverage {
  const details = branches.map(({ name, taken }) => {
    return new vscode.BranchCoverage(taken, undefined, name === "" ? undefined : name);
  });
  return new vscode.StatementCoverage(ran, rangeOf(range), details);
}

function rangeOf([line, character, endLine, endCharacter]: FlatRange): vscode.Range {
  return new vscode.Range(line, character, endLine, endCharacter);
}
