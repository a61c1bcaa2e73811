/** The messages of docs/lsp-extensions.md. Lines are 0-based; a `FlatRanges` is `[first, last, first, last, ...]`, both inclusive. */

import { NotificationType, RequestType } from "vscode-languageclient/node";

export type FlatRanges = readonly number[];

/** What to paint in one open document. */
export interface MarksParams {
  readonly uri: string;
  readonly version: number | null;
  readonly covered: FlatRanges;
  readonly partial: FlatRanges;
  readonly uncovered: FlatRanges;
  readonly stale: FlatRanges;
  readonly failing: FlatRanges;
  readonly gaps: FlatRanges;
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
  readonly source: string | null;
  readonly done: number;
  readonly total: number;
  readonly failed: number;
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
  readonly percent: number;
  readonly gaps: readonly PlannedGap[];
}

export interface PlannedFile {
  readonly path: string;
  readonly uri: string;
  readonly percent: number;
  readonly risk: number;
  readonly functions: readonly PlannedFunction[];
}

/** The gaps of one folder, riskiest first at every level. */
export interface Plan {
  readonly percent: number | null;
  readonly target: number;
  readonly summary: string;
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
  readonly diagnostics?: {
    readonly enabled?: boolean | undefined;
    readonly minimumRisk?: number | undefined;
    readonly maximumPerFile?: number | undefined;
    readonly warningFrom?: number | undefined;
    readonly informationFrom?: number | undefined;
  };
  readonly codeLens?: boolean | undefined;
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
}

export const MarksNotification = new NotificationType<MarksParams>("testlens/marks");
export const StatusNotification = new NotificationType<StatusParams>("testlens/status");
export const PlanRequest = new RequestType<FolderParams, Plan, void>("testlens/plan");
export const InterpreterRequest = new RequestType<FolderParams, { path: string | null }, void>("testlens/interpreter");
export const SaveRequest = new RequestType<SaveParams, { saved: boolean }, void>("testlens/save");

/** Commands of the server. The language client registers them in VS Code, so the extension must not. */
export const ServerCommand = {
  runTests: "testlens.server.runTests",
  cancelRun: "testlens.server.cancelRun",
  refresh: "testlens.server.refresh",
  scaffold: "testlens.server.scaffold",
} as const;
