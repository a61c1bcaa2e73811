/** Which server to run. The answer is a value, so that a change of settings restarts the server only if the answer changes. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where the server was found. */
export type ServerKind = "setting" | "development" | "bundled" | "path";

export interface Server {
  readonly kind: ServerKind;
  readonly executable: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Where to look, in this order of precedence. */
export interface ServerSources {
  /** `testlens.server.interpreter`. */
  readonly setting: string | undefined;
  /** The environment variable TESTLENS_SERVER_PYTHON, which `npm start` sets. */
  readonly development: string | undefined;
  /** The folder of the installed extension. */
  readonly extensionFolder: string;
}

export type Resolution = { readonly server: Server } | { readonly missing: string };

// -P keeps the working folder off sys.path: a file `testlens.py` there would be run in place of the server.
const MODULE_ARGS = ["-P", "-m", "testlens", "serve"];
const PROBE = [
  "-P",
  "-c",
  "import importlib.util, sys; sys.exit(sys.version_info < (3, 11) or importlib.util.find_spec('testlens') is None)",
];
// The customary names may be those of a version that is too old.
const COMMANDS = ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11"];
const PROBE_TIMEOUT_MS = 15_000;
const NEEDED = "Testlens needs Python 3.11 or later with the package 'testlens' installed (pip install testlens)";

/** The server to run, or in words what is missing. An interpreter that the user names is never passed over for another. */
export async function resolveServer(sources: ServerSources): Promise<Resolution> {
  if (sources.setting) {
    return named("setting", sources.setting, "the setting testlens.server.interpreter");
  }
  if (sources.development) {
    return named("development", sources.development, "TESTLENS_SERVER_PYTHON");
  }
  const found = (await bundled(sources.extensionFolder)) ?? (await onPath());
  const needed = hasBundle(sources.extensionFolder) ? "Testlens needs Python 3.11 or later" : NEEDED;
  return found ? { server: found } : { missing: `${needed}, and none was found on the PATH.` };
}

export function sameServer(one: Server | undefined, other: Server | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

async function named(kind: ServerKind, executable: string, origin: string): Promise<Resolution> {
  if (await canServe(executable, {})) {
    return { server: { kind, executable, args: MODULE_ARGS, env: {} } };
  }
  return { missing: `${NEEDED}. '${executable}', from ${origin}, is not such an interpreter.` };
}

function bundleOf(extensionFolder: string): string {
  return join(extensionFolder, "bundled", "libs");
}

function hasBundle(extensionFolder: string): boolean {
  return existsSync(join(bundleOf(extensionFolder), "testlens"));
}

async function bundled(extensionFolder: string): Promise<Server | undefined> {
  if (!hasBundle(extensionFolder)) {
    return undefined;
  }
  const libraries = bundleOf(extensionFolder);
  const own = process.env["PYTHONPATH"];
  // The second tells the server what to take out of the first again before it starts the project's interpreter.
  return firstThatServes("bundled", {
    PYTHONPATH: own ? libraries + delimiter + own : libraries,
    TESTLENS_BUNDLED_LIBS: libraries,
  });
}

function onPath(): Promise<Server | undefined> {
  return firstThatServes("path", {});
}

async function firstThatServes(kind: ServerKind, env: Record<string, string>): Promise<Server | undefined> {
  for (const executable of COMMANDS) {
    if (await canServe(executable, env)) {
      return { kind, executable, args: MODULE_ARGS, env };
    }
  }
  return undefined;
}

function canServe(executable: string, env: Record<string, string>): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(executable, PROBE, { env: { ...process.env, ...env }, timeout: PROBE_TIMEOUT_MS }, (error) => {
      resolve(error === null);
    });
  });
}
