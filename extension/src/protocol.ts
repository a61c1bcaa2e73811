/** The messages of docs/lsp-extensions.md. Lines are 0-based; a `FlatRanges` is `[first, last, first, last, ...]`, both inclusive. */

import { NotificationType, RequestType } from "vscode-languageclient/node";

export type FlatRanges = readonly number[];

/** What failing tests said at a line, in one line of words. */
export interface FailureMark {
  readonly line: number;
  readonly message: string;
}

/** What to paint in one open document. */
export interface MarksParams {
  readonly uri: string;
  readonly version: number | null;
  readonly covered: FlatRanges;
  readonly partial: FlatRanges;
  readonly uncovered: FlatRanges;
  readonly stale: FlatRanges;
  readonly failing: FlatRanges;
  readonly survivor: FlatRanges;
  readonly running: FlatRanges;
  readonly gaps: FlatRanges;
  readonly failures: readonly FailureMark[];
  readonly percent: number | null;
  readonly note: string | null;
}

export type FolderState = "noData" | "loading" | "ready" | "running";

/** The state of one workspace folder. */
export interface StatusParams {
  readonly folder: string;
  readonly state: FolderState;
  readonly percent: number | null;
  readonly delta: number | null;
  readonly target: number;
  readonly toTarget: number | null;
  readonly gaps: number;
  readonly mutationScore: number | null;
  /** Of how many mutants the score speaks. */
  readonly mutants: number;
  readonly mutatedFiles: number;
  readonly survivors: number;
  /** How far the target is, in one sentence; empty without data. */
  readonly outlook: string;
  readonly source: string | null;
  readonly done: number;
  readonly total: number;
  readonly failed: number;
  /** Slow tests that edits select, and that are left to the user. */
  readonly leftOut: number;
}

export interface FolderParams {
  readonly folder: string;
}

/** Documents to save, by URI. */
export interface SaveParams {
  readonly uris: readonly string[];
}

/** Asks for a test of the gap on a 0-based line; without a recipe the most fitting one writes it. */
export interface ScaffoldArguments {
  readonly uri: string;
  readonly line: number;
  readonly version?: number;
  readonly recipe?: string;
}

/** What mutants to run: those of a function, of a document, of the lines changed since a git revision, or of a folder. */
export interface MutateArguments {
  readonly folder?: string;
  readonly uri?: string;
  readonly function?: string;
  readonly changed?: string;
}

/** A mutant of an open document, by mutmut's name. */
export interface MutantParams {
  readonly uri: string;
  readonly name: string;
}

/** A line of an open document. */
export interface LineParams {
  readonly uri: string;
  readonly line: number;
}

/** A test by node id, and where it failed, or else is defined. */
export interface LinkedTest {
  readonly name: string;
  readonly failed: boolean;
  /** Whether it is slow, and was left out since the last edits. */
  readonly stale: boolean;
  readonly seconds: number;
  readonly uri: string | null;
  readonly line: number;
}

/** The tests that run a line; the note says why there are none. */
export interface TestsOfLine {
  readonly tests: readonly LinkedTest[];
  readonly note: string;
}

/** What a test runs; the note says why that is nothing. */
export interface LinesOfTest {
  readonly name: string;
  readonly files: readonly { readonly uri: string; readonly lines: FlatRanges }[];
  readonly note: string;
}

/** A test by node id, and where the classes and the function in it are defined; null where they are not. */
export interface PlacedTest {
  readonly id: string;
  readonly uri: string | null;
  readonly lines: readonly (number | null)[];
}

export type TestOutcome = "passed" | "failed" | "error" | "skipped" | "xfailed" | "xpassed";

/** What came of a test, and where it failed; the two sides of the comparison on which it did, if any. */
export interface TestReport {
  readonly id: string;
  readonly outcome: TestOutcome;
  readonly seconds: number;
  readonly message: string;
  readonly expected: string | null;
  readonly actual: string | null;
  readonly uri: string | null;
  readonly line: number | null;
}

/** What is newly known of a folder's tests; with `reset` nothing that was told before holds. */
export interface TestsParams {
  readonly folder: string;
  readonly reset: boolean;
  readonly tests: readonly PlacedTest[];
  readonly gone: readonly string[];
  readonly reports: readonly TestReport[];
}

/** How a test run gets on; pytest's own words on each test that failed. */
export interface TestRunParams {
  readonly folder: string;
  readonly job: string;
  readonly continuous: boolean;
  readonly started: readonly PlacedTest[];
  readonly finished: readonly TestReport[];
  readonly details: Readonly<Record<string, string>>;
  readonly ended: boolean;
}

/** What a debugger needs to run tests of a folder; without an interpreter the note says why, unless the user was told. */
export interface DebugTarget {
  readonly python: string | null;
  readonly args: readonly string[];
  readonly note: string;
}

/** How many tests pytest found, and what went wrong, if anything did. */
export interface FoundTests {
  readonly found: number;
  readonly note: string;
}

/** Counts as `[covered, all]`; `tests` are places in the list of tests. */
export interface CoveredFile {
  readonly uri: string;
  readonly statements: readonly [number, number];
  readonly branches: readonly [number, number];
  readonly tests: FlatRanges;
}

/** The counts of all files of a folder, and the tests that ran any of them. */
export interface Coverage {
  readonly percent: number | null;
  readonly tests: readonly string[];
  readonly files: readonly CoveredFile[];
}

/** A file; with a test only what that ran. */
export interface FileCoverageParams {
  readonly uri: string;
  readonly test?: string;
}

/** `[line, character, line, character]`, the end exclusive. */
export type FlatRange = readonly [number, number, number, number];

export interface StatementDetail {
  readonly range: FlatRange;
  readonly ran: boolean;
  readonly branches: readonly { readonly name: string; readonly taken: boolean }[];
}

export interface FunctionDetail {
  readonly name: string;
  readonly range: FlatRange;
  readonly ran: boolean;
}

/** A file statement by statement, as it is now. */
export interface FileCoverage {
  readonly statements: readonly StatementDetail[];
  readonly functions: readonly FunctionDetail[];
}

/** The document as the mutant has it; without a text, the title says why. */
export interface Mutant {
  readonly title: string;
  readonly text: string | null;
}

/** All mutants of a folder after the mutation-testing-report-schema. */
export interface MutationReport {
  readonly report: object | null;
  readonly note: string;
}

/** A folder, and the nonce of the panel that is to show its report. */
export interface ReportParams {
  readonly folder: string;
  readonly nonce: string;
}

/** The report of a folder as a page; without one the note says why. */
export interface Report {
  readonly page: string | null;
  readonly note: string;
}

export interface PlannedGap {
  readonly title: string;
  readonly detail: string;
  readonly risk: number;
  readonly kind: string;
  readonly uri: string;
  readonly first: number;
  readonly last: number;
}

export interface PlannedFunction {
  readonly name: string;
  readonly risk: number;
  readonly percent: number | null;
  readonly gaps: readonly PlannedGap[];
}

export interface PlannedFile {
  readonly path: string;
  readonly uri: string;
  readonly percent: number | null;
  readonly risk: number;
  readonly functions: readonly PlannedFunction[];
}

/** The gaps of one folder, riskiest first at every level. */
export interface Plan {
  readonly percent: number | null;
  readonly target: number;
  readonly summary: string;
  readonly outlook: string;
  readonly files: readonly PlannedFile[];
}

/** The user's settings, as the server reads them. What is undefined is left out of the message. */
export interface Settings {
  readonly python?: string | undefined;
  readonly target?: number | undefined;
  readonly critical?: readonly string[] | undefined;
  readonly weights?: Readonly<Record<string, number>> | undefined;
  readonly pytestArgs?: readonly string[] | undefined;
  readonly testTimeout?: number | undefined;
  readonly recordValues?: boolean | undefined;
  readonly slowTests?: number | undefined;
  readonly continuous?: string | undefined;
  readonly diagnostics?: {
    readonly enabled?: boolean | undefined;
    readonly minimumRisk?: number | undefined;
    readonly maximumPerFile?: number | undefined;
    readonly warningFrom?: number | undefined;
    readonly informationFrom?: number | undefined;
  };
  readonly codeLens?: boolean | undefined;
  readonly mutants?: { readonly show?: string | undefined };
  readonly scaffold?: {
    readonly budget?: number | undefined;
    readonly network?: boolean | undefined;
    readonly style?: string | undefined;
  };
}

/** `initializationOptions`, and `settings` of every `workspace/didChangeConfiguration`. */
export interface ServerOptions {
  readonly settings: Settings;
  readonly trusted: boolean;
  readonly interpreterProvider: boolean;
  readonly savesDocuments: boolean;
  readonly mutantDiffs: boolean;
  readonly testExplorer: boolean;
}

export const MarksNotification = new NotificationType<MarksParams>("testlens/marks");
export const StatusNotification = new NotificationType<StatusParams>("testlens/status");
export const PlanRequest = new RequestType<FolderParams, Plan, void>("testlens/plan");
export const MutantRequest = new RequestType<MutantParams, Mutant, void>("testlens/mutant");
export const MutationReportRequest = new RequestType<FolderParams, MutationReport, void>("testlens/mutationReport");
export const ReportRequest = new RequestType<ReportParams, Report, void>("testlens/report");
export const TestsOfLineRequest = new RequestType<LineParams, TestsOfLine, void>("testlens/testsOfLine");
export const LinesOfTestRequest = new RequestType<LineParams, LinesOfTest, void>("testlens/linesOfTest");
export const TestsNotification = new NotificationType<TestsParams>("testlens/tests");
export const TestRunNotification = new NotificationType<TestRunParams>("testlens/testRun");
export const FindTestsRequest = new RequestType<FolderParams, FoundTests, void>("testlens/findTests");
export const DebugTargetRequest = new RequestType<FolderParams, DebugTarget, void>("testlens/debugTarget");
export const CoverageRequest = new RequestType<FolderParams, Coverage, void>("testlens/coverage");
export const FileCoverageRequest = new RequestType<FileCoverageParams, FileCoverage, void>("testlens/fileCoverage");
export const InterpreterRequest = new RequestType<FolderParams, { path: string | null }, void>("testlens/interpreter");
export const SaveRequest = new RequestType<SaveParams, { saved: boolean }, void>("testlens/save");

/** Commands of the server. The language client registers them in VS Code, so the extension must not. */
export const ServerCommand = {
  runTests: "testlens.server.runTests",
  runLeftOut: "testlens.server.runLeftOut",
  cancelRun: "testlens.server.cancelRun",
  refresh: "testlens.server.refresh",
  scaffold: "testlens.server.scaffold",
  mutate: "testlens.server.mutate",
  initCi: "testlens.server.initCi",
} as const;
