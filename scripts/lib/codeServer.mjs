/** VS Code in a browser: code-server, installed once below the cache and served on the loopback interface only. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { BUILD_PACKAGES, ensureSystemPackages } from "./debian.mjs";
import { ensureNode24, installInto, withNode24 } from "./node.mjs";
import { CACHE, VSIX } from "./paths.mjs";
import { runLogged } from "./processes.mjs";
import { withOurServer } from "./python.mjs";
import { digest, unlessStamped } from "./stamps.mjs";
import { SetupError } from "./terminal.mjs";

const VERSION = "4.139.1";
const FOLDER = path.join(CACHE, "code-server");
const ENTRY = path.join(FOLDER, "node_modules", "code-server", "out", "node", "entry.js");
const LISTENING = /HTTP server listening on (http:\/\/\S+?)\/?$/;

/** Settings of a VS Code that is ours alone: quiet, and trusting the folder that the user named. */
const OUR_SETTINGS = {
  "chat.disableAIFeatures": true,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "git.openRepositoryInParentFolders": "never",
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
};

/** Install code-server unless it is there. Resolves with whether anything had to be done. */
export async function ensureCodeServer() {
  if (process.platform === "win32") {
    throw new SetupError(
      "VS Code is not on PATH, and VS Code in the browser (code-server) cannot be installed on Windows.",
      'Install VS Code from https://code.visualstudio.com/ with "Add to PATH", then run the same command again.',
    );
  }
  const specifier = `code-server@${VERSION}`;
  const node24 = await ensureNode24();
  return unlessStamped(FOLDER, digest({ values: [specifier, node24.home] }), async () => {
    await ensureSystemPackages(BUILD_PACKAGES, "build VS Code's native modules");
    // Half an installation is worse than none: npm would keep its broken parts.
    rmSync(FOLDER, { recursive: true, force: true });
    await installInto(FOLDER, specifier, {
      env: withNode24(node24),
      node: node24.executable,
      scriptsOf: ["code-server", "argon2"],
    });
  });
}

/** The user's own changes win over ours. */
function writeSettings(userData, extra) {
  const file = path.join(userData, "User", "settings.json");
  mkdirSync(path.dirname(file), { recursive: true });
  const existing = existsSync(file) ? readSettings(file) : {};
  if (!existing) return;
  const settings = { ...OUR_SETTINGS, ...existing, ...extra };
  writeFileSync(file, `${JSON.stringify(settings, undefined, 2)}\n`);
}

function readSettings(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined; // VS Code allows comments there, and a file with comments is the user's to keep
  }
}

function firstAddress(child) {
  return new Promise((resolve, reject) => {
    const lines = [];
    createInterface({ input: child.stdout }).on("line", (line) => {
      lines.push(line);
      const address = LISTENING.exec(line)?.[1];
      if (address) resolve(address);
    });
    child.once("close", (code) =>
      reject(new SetupError(`VS Code in the browser ended with exit code ${code}:\n${lines.slice(-10).join("\n")}`)),
    );
  });
}

function endGroup(leader) {
  try {
    process.kill(-leader, "SIGTERM");
  } catch (error) {
    if (error.code !== "ESRCH") throw error; // nothing is left of it
  }
}

/**
 * Serve a folder with the packed extension installed, until this script is told to end.
 * @param {string} folder what VS Code opens
 * @param {object} options
 * @param {string} options.state folder for VS Code's user data and extensions
 * @param {number} [options.port] 0 for any free port
 * @param {object} [options.settings] user settings on top of ours
 * @param {string[]} [options.extensions] packed extensions to install beside ours
 * @param {string} [options.vsix] install this one, which finds its server by itself, in place of ours with that of this checkout
 * @returns {Promise<{ url: string, ended: Promise<number> }>} `url` opens the folder
 */
export async function serveFolder(folder, { state, port = 0, settings = {}, extensions = [], vsix }) {
  const node24 = await ensureNode24();
  const env = vsix ? withNode24(node24) : withOurServer(withNode24(node24));
  const userData = path.join(state, "user-data");
  const common = [
    ENTRY,
    ...["--config", path.join(state, "code-server.yaml")],
    ...["--user-data-dir", userData],
    ...["--extensions-dir", path.join(state, "extensions")],
  ];
  writeSettings(userData, settings);
  const installed = [vsix ?? VSIX, ...extensions].flatMap((file) => ["--install-extension", file]);
  await runLogged("install-extension", node24.executable, [...common, ...installed, "--force"], { env });
  const serve = ["--auth", "none", "--bind-addr", `127.0.0.1:${port}`];
  const quiet = ["--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"];
  // A process group of its own: what is just starting when VS Code ends would otherwise outlive it.
  const options = { env, stdio: ["ignore", "pipe", "inherit"], detached: true };
  const child = spawn(node24.executable, [...common, ...serve, ...quiet, folder], options);
  const ended = new Promise((resolve) => {
    child.once("close", (code) => {
      endGroup(child.pid);
      resolve(code ?? 0);
    });
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => child.kill("SIGTERM"));
  const address = await firstAddress(child);
  return { url: `${address}/?folder=${encodeURIComponent(folder)}`, ended };
}
