/** The entry point: puts the parts together and binds the commands. */

import * as vscode from "vscode";
import { Client } from "./client";
import { DocumentMarks } from "./documentMarks";
import { ExplorerSwitch } from "./explorer/explorerSwitch";
import { FolderStatus } from "./folderStatus";
import { allFolders, chosenFolder } from "./folders";
import { goToGap } from "./gapNavigation";
import { GapTree } from "./gapTree";
import { Gutters } from "./gutters";
import { initCi } from "./initCi";
import { PythonExtension } from "./interpreter";
import { MutantDocuments, mutateChanged, mutateFile, mutateWorkspace } from "./mutants";
import { MutationReportPanel } from "./panels/mutationReport";
import { ReportPanel } from "./panels/report";
import type { PlanNode } from "./planTree";
import { ServerCommand, type MutantParams } from "./protocol";
import { writeTest } from "./scaffolding";
import { onSettingChange, serverInterpreter, serverOptions } from "./settings";
import { StatusBar } from "./status";
import { showLinesOfTest, showTestsOfLine } from "./testLinks";

let client: Client | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const output = vscode.window.createOutputChannel("Testlens", { log: true });
  const python = new PythonExtension(output);
  const sources = () => ({
    setting: serverInterpreter(),
    development: process.env["TESTLENS_SERVER_PYTHON"],
    extensionFolder: context.extensionPath,
  });
  const explorer = new ExplorerSwitch();
  const options = () => serverOptions(explorer.wishes);
  client = new Client(sources, (folder) => python.interpreterOf(folder), options, output);
  explorer.connect(client);
  const marks = new DocumentMarks();
  const folders = new FolderStatus();
  const gutters = new Gutters(marks, context.workspaceState, explorer);
  const tree = new GapTree(client, folders, output);
  context.subscriptions.push(
    output,
    python,
    explorer,
    client,
    marks,
    folders,
    gutters,
    tree,
    new StatusBar(folders, marks),
    ...connections(client, python, marks, folders),
    ...commands(client, marks, folders, gutters, tree, output),
    ...mutantCommands(client, folders, context.extensionUri),
    ...reportCommands(client, folders),
  );
  void client.ensureStarted();
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}

/** Who hears of what. */
function connections(
  client: Client,
  python: PythonExtension,
  marks: DocumentMarks,
  folders: FolderStatus,
): vscode.Disposable[] {
  const sendOptions = (): void => void client.sendOptions();
  return [
    client.onMarks((params) => {
      marks.receive(params);
    }),
    client.onStatus((params) => {
      folders.receive(params);
    }),
    client.onState((state) => {
      folders.connectionChanged(state);
    }),
    python.onChange(sendOptions),
    onSettingChange(sendOptions),
    onSettingChange(() => void client.ensureStarted(), "server"),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      sendOptions();
      // Settings that were withheld until now may name another server.
      void client.ensureStarted();
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(({ removed }) => {
      folders.forget(removed);
    }),
  ];
}

function commands(
  client: Client,
  marks: DocumentMarks,
  folders: FolderStatus,
  gutters: Gutters,
  tree: GapTree,
  output: vscode.LogOutputChannel,
): vscode.Disposable[] {
  const execute = async (command: string, ...folderUris: readonly string[]): Promise<void> => {
    await Promise.all(folderUris.map((folder) => client.execute(command, { folder })));
  };
  const handlers: Readonly<Record<string, (node?: PlanNode) => Promise<void> | void>> = {
    runTests: async () => {
      const folder = await chosenFolder();
      if (folder) {
        await execute(ServerCommand.runTests, folder.uri.toString());
      }
    },
    runLeftOut: () => execute(ServerCommand.runLeftOut, ...folders.leftOut),
    cancelRun: () => execute(ServerCommand.cancelRun, ...folders.running),
    refresh: () => execute(ServerCommand.refresh, ...allFolders()),
    nextGap: () => {
      goToGap(marks, "next");
    },
    previousGap: () => {
      goToGap(marks, "previous");
    },
    showGutters: () => gutters.show(),
    hideGutters: () => gutters.hide(),
    toggleGutters: () => gutters.toggle(),
    openPlan: () => tree.focus(),
    writeTest: (node) => writeTest(client, node),
    testsOfLine: () => showTestsOfLine(client),
    linesOfTest: () => showLinesOfTest(client),
    initCi: () => initCi(client),
    restartServer: () => client.restart(),
    showOutput: () => {
      output.show();
    },
  };
  return Object.entries(handlers).map(([name, handler]) => vscode.commands.registerCommand(`testlens.${name}`, handler));
}

function reportCommands(client: Client, folders: FolderStatus): { dispose(): unknown }[] {
  const panel = new ReportPanel(client, folders);
  return [panel, vscode.commands.registerCommand("testlens.showReport", () => panel.show())];
}

function mutantCommands(client: Client, folders: FolderStatus, extension: vscode.Uri): { dispose(): unknown }[] {
  const documents = new MutantDocuments(client);
  const panel = new MutationReportPanel(client, folders, extension);
  return [
    documents,
    panel,
    vscode.commands.registerCommand("testlens.showMutant", (wanted?: MutantParams) => documents.show(wanted)),
    vscode.commands.registerCommand("testlens.showMutants", () => panel.show()),
    vscode.commands.registerCommand("testlens.mutateFile", () => mutateFile(client)),
    vscode.commands.registerCommand("testlens.mutateChanged", () => mutateChanged(client)),
    vscode.commands.registerCommand("testlens.mutateWorkspace", () => mutateWorkspace(client)),
  ];
}
