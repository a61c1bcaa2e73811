/** The interpreter that the user chose in the Python extension, where that extension is installed. */

import * as vscode from "vscode";

const PYTHON_EXTENSION = "ms-python.python";

/** The part of the Python extension's interface that is used here (its @vscode/python-extension package describes all of it). */
interface PythonApi {
  readonly environments: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly id: string; readonly path: string };
    resolveEnvironment(
      environment: { readonly id: string; readonly path: string },
    ): Promise<{ readonly executable: { readonly uri: vscode.Uri | undefined } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

export class PythonExtension implements vscode.Disposable {
  private readonly changeEmitter = new vscode.EventEmitter<void>();
  /** Fires when another interpreter may be the right one: chosen anew, or the Python extension came or went. */
  readonly onChange = this.changeEmitter.event;

  private readonly extensionsListener: vscode.Disposable;
  private environmentListener: vscode.Disposable | undefined;
  private installed = pythonExtension() !== undefined;

  constructor(private readonly output: vscode.LogOutputChannel) {
    this.extensionsListener = vscode.extensions.onDidChange(() => {
      this.extensionsChanged();
    });
  }

  /** The path of the interpreter chosen for a folder; undefined without the Python extension or without a choice. */
  async interpreterOf(folder: vscode.Uri): Promise<string | undefined> {
    try {
      const environments = (await this.api())?.environments;
      const environment = await environments?.resolveEnvironment(environments.getActiveEnvironmentPath(folder));
      return environment?.executable.uri?.fsPath;
    } catch (error) {
      this.output.warn(`The Python extension did not name an interpreter: ${String(error)}`);
      return undefined;
    }
  }

  dispose(): void {
    this.extensionsListener.dispose();
    this.environmentListener?.dispose();
    this.changeEmitter.dispose();
  }

  private async api(): Promise<PythonApi | undefined> {
    const api = await pythonExtension()?.activate();
    this.environmentListener ??= api?.environments.onDidChangeActiveEnvironmentPath(() => {
      this.changeEmitter.fire();
    });
    return api;
  }

  private extensionsChanged(): void {
    const installed = pythonExtension() !== undefined;
    if (installed === this.installed) {
      return;
    }
    this.installed = installed;
    this.environmentListener?.dispose();
    this.environmentListener = undefined;
    this.changeEmitter.fire();
  }
}

function pythonExtension(): vscode.Extension<PythonApi> | undefined {
  return vscode.extensions.getExtension<PythonApi>(PYTHON_EXTENSION);
}
