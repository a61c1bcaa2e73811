/** The user's settings, read in one place. */

import * as vscode from "vscode";
import type { ServerOptions, Settings } from "./protocol";
import type { RiskLevels } from "./planTree";

const SECTION = "testlens";

/** The settings that the server is told, by their keys in the manifest. */
interface SettingValues {
  readonly python: string;
  readonly target: number;
  readonly critical: readonly string[];
  readonly weights: Readonly<Record<string, number>>;
  readonly pytestArgs: readonly string[];
  readonly testTimeout: number;
  readonly recordValues: boolean;
  readonly continuous: string;
  readonly slowTests: number;
  readonly "diagnostics.enabled": boolean;
  readonly "diagnostics.minimumRisk": number;
  readonly "diagnostics.maximumPerFile": number;
  readonly "diagnostics.warningFrom": number;
  readonly "diagnostics.informationFrom": number;
  readonly codeLens: boolean;
  readonly "mutants.show": string;
  readonly "scaffold.budget": number;
  readonly "scaffold.network": boolean;
  readonly "scaffold.style": string;
}

/** What the test explorer wants of the server: to be told of tests, and that each save runs what it can affect. */
export interface ExplorerWishes {
  readonly isShown: boolean;
  readonly isFollowing: boolean;
}

/** Everything the server is told at its start and after each change. */
export function serverOptions({ isShown, isFollowing }: ExplorerWishes): ServerOptions {
  const settings = serverSettings();
  const chosen = settings.continuous ?? "off";
  const continuous = isFollowing && chosen === "off" ? "onSave" : settings.continuous;
  const abilities = { interpreterProvider: true, savesDocuments: true, mutantDiffs: true, testExplorer: isShown };
  return { settings: { ...settings, continuous }, trusted: vscode.workspace.isTrusted, ...abilities };
}

/** `testlens.testExplorer`. */
export function testExplorerSetting(): string {
  return configuration().get("testExplorer", "auto");
}

/** The interpreter that is to run the server, or undefined where the user named none. */
export function serverInterpreter(): string | undefined {
  return trimmed(configuration().get<string>("server.interpreter"));
}

export function guttersEnabled(): boolean {
  return configuration().get("gutters.enabled", true);
}

/** From which risk on the tree uses which colour: the same levels as the severities in the Problems panel. */
export function riskLevels(): RiskLevels {
  const settings = configuration();
  return {
    warningFrom: settings.get("diagnostics.warningFrom", 0),
    informationFrom: settings.get("diagnostics.informationFrom", 0),
  };
}

/** Calls `listener` after a change of `testlens.<key>`, or of any setting of Testlens where no key is given. */
export function onSettingChange(listener: () => void, key?: string): vscode.Disposable {
  const name = key === undefined ? SECTION : `${SECTION}.${key}`;
  return vscode.workspace.onDidChangeConfiguration((event) => {
    if (event.affectsConfiguration(name)) {
      listener();
    }
  });
}

/** Only what the user has set: for the rest the server has its defaults, or the project's own configuration. */
function serverSettings(): Settings {
  return {
    python: trimmed(userValue("python")),
    target: userValue("target"),
    critical: userValue("critical"),
    weights: userValue("weights"),
    pytestArgs: userValue("pytestArgs"),
    testTimeout: userValue("testTimeout"),
    recordValues: userValue("recordValues"),
    continuous: userValue("continuous"),
    slowTests: userValue("slowTests"),
    diagnostics: {
      enabled: userValue("diagnostics.enabled"),
      minimumRisk: userValue("diagnostics.minimumRisk"),
      maximumPerFile: userValue("diagnostics.maximumPerFile"),
      warningFrom: userValue("diagnostics.warningFrom"),
      informationFrom: userValue("diagnostics.informationFrom"),
    },
    codeLens: userValue("codeLens"),
    mutants: { show: userValue("mutants.show") },
    scaffold: {
      budget: userValue("scaffold.budget"),
      network: userValue("scaffold.network"),
      style: userValue("scaffold.style"),
    },
  };
}

function userValue<Key extends keyof SettingValues>(key: Key): SettingValues[Key] | undefined {
  const settings = configuration();
  const found = settings.inspect(key);
  const isSet = [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue].some((value) => value !== undefined);
  // get() rather than one of these values: it merges objects, and leaves out what an untrusted workspace may not set.
  return isSet ? settings.get<SettingValues[Key]>(key) : undefined;
}

function configuration(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration(SECTION);
}

function trimmed(text: string | undefined): string | undefined {
  const result = text?.trim();
  return result === "" ? undefined : result;
}
