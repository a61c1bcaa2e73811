/** The connection to the server: starts it, restarts it when it stops, and offers what it says as events and requests. */

import * as vscode from "vscode";
import {
  CloseAction,
  DidChangeConfigurationNotification,
  ErrorAction,
  ExecuteCommandRequest,
  LanguageClient,
  State,
  type CancellationToken,
  type CloseHandlerResult,
  type RequestType,
} from "vscode-languageclient/node";
import { Coalescer } from "./coalescer";
import {
  InterpreterRequest,
  LinesOfTestRequest,
  MarksNotification,
  MutantRequest,
  MutationReportRequest,
  PlanRequest,
  SaveRequest,
  StatusNotification,
  TestRunNotification,
  TestsNotification,
  TestsOfLineRequest,
  type FolderParams,
  type LineParams,
  type LinesOfTest,
  type MarksParams,
  type Mutant,
  type MutantParams,
  type MutationReport,
  type Plan,
  type ServerOptions,
  type StatusParams,
  type TestRunParams,
  type TestsOfLine,
  type TestsParams,
} from "./protocol";
import { RestartPolicy } from "./restartPolicy";
import { saveDocuments } from "./saving";
import { resolveServer, sameServer, type Server, type ServerSources } from "./server";

export type ConnectionState = "starting" | "running" | "stopped" | "missing";
export type InterpreterProvider = (folder: vscode.Uri) => Promise<string | undefined>;

/** The language client, silent: it logs, and what the user should read is said here, once. */
class QuietLanguageClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

export class Client implements vscode.Disposable {
  private readonly marksEmitter = new vscode.EventEmitter<MarksParams>();
  private readonly statusEmitter = new vscode.EventEmitter<StatusParams>();
  private readonly testsEmitter = new vscode.EventEmitter<TestsParams>();
  private readonly testRunEmitter = new vscode.EventEmitter<TestRunParams>();
  private readonly stateEmitter = new vscode.EventEmitter<ConnectionState>();
  readonly onMarks = this.marksEmitter.event;
  readonly onStatus = this.statusEmitter.event;
  readonly onTests = this.testsEmitter.event;
  readonly onTestRun = this.testRunEmitter.event;
  readonly onState = this.stateEmitter.event;

  private readonly restarts = new RestartPolicy();
  private readonly starting = new Coalescer(() => this.startResolved());
  private connection: { readonly client: LanguageClient; readonly server: Server } | undefined;
  /** Whether the next start replaces a running server even by the same one. */
  private forced = false;
  private restartedAfterStop = false;

  constructor(
    private readonly sources: () => ServerSources,
    private readonly interpreterOf: InterpreterProvider,
    private readonly options: () => ServerOptions,
    private readonly output: vscode.LogOutputChannel,
  ) {}

  /** Starts the server, or replaces it if another one is to be run now. Does nothing if the right one is running. */
  ensureStarted(): Promise<void> {
    return this.starting.request();
  }

  /** Stops the server and starts it again, whatever its state. */
  restart(): Promise<void> {
    this.forced = true;
    return this.starting.request();
  }

  async stop(): Promise<void> {
    const stopping = this.connection?.client;
    this.connection = undefined;
    if (!stopping) {
      return;
    }
    try {
      await stopping.dispose();
    } catch (error) {
      // Only a running server can be asked to stop. Of any other the language client ends the process, then complains.
      this.output.debug(`Stopping the server: ${String(error)}`);
    }
  }

  /** Tells the server the settings and the trust as they are now. */
  async sendOptions(): Promise<void> {
    try {
      await this.running()?.sendNotification(DidChangeConfigurationNotification.type, { settings: this.options() });
    } catch (error) {
      // The server went away meanwhile. The next one is told at its start.
      this.output.warn(`The settings were not sent: ${String(error)}`);
    }
  }

  /** Runs a command of the server. Rejects, with a message for the user, while no server is running. */
  async execute(command: string, argument: object): Promise<void> {
    const client = this.running();
    if (!client) {
      throw new Error("The Testlens server is not running. Use the command 'Testlens: Restart the Server'.");
    }
    await client.sendRequest(ExecuteCommandRequest.type, { command, arguments: [argument] });
  }

  /** Asks the server; undefined while none is running. Rejects with what the server says where it refuses. */
  async ask<P, R>(request: RequestType<P, R, void>, params: P, token?: CancellationToken): Promise<R | undefined> {
    // Of an absent token the language client makes one more parameter.
    const more = token ? [token] : [];
    return this.running()?.sendRequest<R>(request.method, params, ...more);
  }

  /** The plan of a folder; undefined while no server is running. */
  async plan(folder: string): Promise<Plan | undefined> {
    return this.running()?.sendRequest(PlanRequest, { folder });
  }

  /** A document as a mutant has it; undefined while no server is running. */
  async mutant(params: MutantParams): Promise<Mutant | undefined> {
    return this.running()?.sendRequest(MutantRequest, params);
  }

  /** All mutants of a folder; undefined while no server is running. */
  async mutationReport(folder: string): Promise<MutationReport | undefined> {
    return this.running()?.sendRequest(MutationReportRequest, { folder });
  }

  /** The tests that run a line; undefined while no server is running. */
  async testsOfLine(params: LineParams): Promise<TestsOfLine | undefined> {
    return this.running()?.sendRequest(TestsOfLineRequest, params);
  }

  /** The lines that the test on a line runs; undefined while no server is running. */
  async linesOfTest(params: LineParams): Promise<LinesOfTest | undefined> {
    return this.running()?.sendRequest(LinesOfTestRequest, params);
  }

  dispose(): void {
    vscode.Disposable.from(
      this.marksEmitter,
      this.statusEmitter,
      this.testsEmitter,
      this.testRunEmitter,
      this.stateEmitter,
    ).dispose();
  }

  /** Whether a client is the one in use, rather than one that was replaced or told to stop. */
  private isCurrent(client: LanguageClient): boolean {
    return this.connection?.client === client;
  }

  private running(): LanguageClient | undefined {
    const client = this.connection?.client;
    return client?.state === State.Running ? client : undefined;
  }

  private async startResolved(): Promise<void> {
    const resolution = await resolveServer(this.sources());
    if ("missing" in resolution) {
      await this.stop();
      this.report("missing", resolution.missing);
      return;
    }
    if (!this.forced && this.running() && sameServer(this.connection?.server, resolution.server)) {
      return;
    }
    this.forced = false;
    await this.stop();
    await this.start(resolution.server);
  }

  private async start(server: Server): Promise<void> {
    this.output.info(`Starting the server (${server.kind}): ${[server.executable, ...server.args].join(" ")}`);
    const client = this.createClient(server);
    this.connection = { client, server };
    client.onDidChangeState(({ newState }) => {
      if (this.isCurrent(client)) {
        this.stateChanged(newState, server);
      }
    });
    try {
      await client.start();
    } catch (error) {
      // The user is told by stateChanged(), as after a restart that fails.
      this.output.error(`Start of the server: ${String(error)}`);
    }
  }

  private stateChanged(state: State, server: Server): void {
    switch (state) {
      case State.Starting:
        this.stateEmitter.fire("starting");
        break;
      case State.Running:
        this.stateEmitter.fire("running");
        this.announceRestart();
        break;
      case State.StartFailed:
        this.report("missing", `The Testlens server (${server.executable}) did not start. Its output says why.`);
        break;
      case State.Stopped:
        break;
    }
  }

  private announceRestart(): void {
    if (this.restartedAfterStop) {
      this.restartedAfterStop = false;
      void vscode.window.showWarningMessage("The Testlens server stopped and was restarted.");
    }
  }

  private createClient(server: Server): LanguageClient {
    const client: LanguageClient = new QuietLanguageClient(
      "testlens",
      "Testlens",
      {
        command: server.executable,
        args: [...server.args],
        // Not the workspace: nothing there may stand in for a module of the server.
        options: { cwd: this.sources().extensionFolder, env: { ...process.env, ...server.env } },
      },
      {
        documentSelector: [{ language: "python", scheme: "file" }],
        outputChannel: this.output,
        initializationOptions: this.options,
        initializationFailedHandler: () => false,
        errorHandler: {
          error: () => ({ action: ErrorAction.Continue, handled: true }),
          closed: () => this.closed(client),
        },
      },
    );
    client.onNotification(MarksNotification, (marks) => {
      this.marksEmitter.fire(marks);
    });
    client.onNotification(StatusNotification, (status) => {
      this.statusEmitter.fire(status);
    });
    client.onNotification(TestsNotification, (tests) => {
      this.testsEmitter.fire(tests);
    });
    client.onNotification(TestRunNotification, (run) => {
      this.testRunEmitter.fire(run);
    });
    client.onRequest(SaveRequest, async ({ uris }) => ({ saved: await saveDocuments(uris) }));
    client.onRequest(InterpreterRequest, async ({ folder }: FolderParams) => ({
      path: (await this.interpreterOf(vscode.Uri.parse(folder))) ?? null,
    }));
    return client;
  }

  /** What the language client does after the server went away without being asked to. */
  private closed(client: LanguageClient): CloseHandlerResult {
    if (!this.isCurrent(client) || client.state === State.Starting) {
      // The first was told to stop. The second would fail to start again; stateChanged() tells the user.
      return { action: CloseAction.DoNotRestart, handled: true };
    }
    if (this.restarts.mayRestart(Date.now())) {
      this.restartedAfterStop = true;
      return { action: CloseAction.Restart, handled: true };
    }
    this.report("stopped", "The Testlens server stopped again and again, and is not restarted any more. Its output says why.");
    return { action: CloseAction.DoNotRestart, handled: true };
  }

  private report(state: "missing" | "stopped", message: string): void {
    this.stateEmitter.fire(state);
    this.output.error(message);
    void offerHelp(message);
  }
}

async function offerHelp(message: string): Promise<void> {
  const choose = "Choose Interpreter";
  const restart = "Try Again";
  const show = "Show Output";
  switch (await vscode.window.showErrorMessage(message, choose, restart, show)) {
    case choose:
      await vscode.commands.executeCommand("workbench.action.openSettings", "testlens.server.interpreter");
      break;
    case restart:
      await vscode.commands.executeCommand("testlens.restartServer");
      break;
    case show:
      await vscode.commands.executeCommand("testlens.showOutput");
      break;
    case undefined:
      break;
  }
}
