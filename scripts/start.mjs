/**
 * npm start [-- PATH] [-- --no-open] [-- --port N]
 * Sets up, runs the tests of PATH (the example without one), prints the plan and opens VS Code on it.
 */
import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { serveFolder } from "./lib/codeServer.mjs";
import { CACHE, EXAMPLE, ROOT, SERVER_VENV, VSIX, venvPython } from "./lib/paths.mjs";
import { isRunnable, runHere, runLogged } from "./lib/processes.mjs";
import { withOurServer } from "./lib/python.mjs";
import { prepareCodeServer, prepareExample, prepareTestlens } from "./lib/setup.mjs";
import { SetupError, complain, heading, main, say, step } from "./lib/terminal.mjs";

const GAPS_SHOWN = 10;
const TESTS_FAILED = 1; // exit code of `testlens run` when tests ran and some of them failed
const USAGE = "Usage: npm start -- [PATH] [--no-open] [--port N]";

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { "no-open": { type: "boolean", default: false }, port: { type: "string", default: "0" } },
    });
    return { project: projectFolder(positionals), open: !values["no-open"], port: portNumber(values.port) };
  } catch (error) {
    if (error instanceof SetupError) throw error;
    throw new SetupError(error.message, USAGE);
  }
}

function projectFolder(positionals) {
  if (positionals.length > 1) throw new SetupError(`One folder at a time: ${positionals.join(", ")}.`, USAGE);
  if (positionals.length === 0) return EXAMPLE;
  // npm runs scripts in the checkout, whatever folder the user typed the command in.
  const folder = path.resolve(process.env.INIT_CWD ?? process.cwd(), positionals[0]);
  if (existsSync(folder) && statSync(folder).isDirectory()) return folder;
  throw new SetupError(`There is no folder ${folder}.`, USAGE);
}

function portNumber(text) {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65535) return port;
  throw new SetupError(`--port takes a number from 0 (any free port) to 65535, not "${text}".`, USAGE);
}

function testlens(...args) {
  return runHere(venvPython(SERVER_VENV), ["-m", "testlens", ...args], { cwd: ROOT });
}

/**
 * Run the tests and print the plan, which `testlens run` does by itself, failing tests or not. Where the tests could not be
 * run at all, the plan may still be made of data from an earlier run. Resolves with the exit code.
 */
async function analyse(project) {
  heading(`Running the tests of ${project}`);
  const code = await testlens("run", project, "--top", String(GAPS_SHOWN));
  if (code <= TESTS_FAILED) return 0;
  heading("The plan, from data that is already there");
  return testlens("plan", project, "--top", String(GAPS_SHOWN));
}

/** Open the VS Code that is installed here. Resolves with false if there is none that works. */
async function openInstalledCode(project) {
  if (process.platform === "win32" || !(await isRunnable("code"))) return false;
  try {
    await step("The extension in VS Code", () => runLogged("code", "code", ["--install-extension", VSIX, "--force"]));
    return (await runHere("code", [project], { env: withOurServer(process.env) })) === 0;
  } catch (error) {
    complain(error);
    return false;
  }
}

function openBrowser(url) {
  const hasDisplay = process.platform === "darwin" || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  if (!hasDisplay) return;
  const opener = spawn(process.platform === "darwin" ? "open" : "xdg-open", [url], { stdio: "ignore", detached: true });
  opener.once("error", () => {}); // the address is printed: a missing opener costs one click
  opener.unref();
}

async function openInBrowser(project, port) {
  await prepareCodeServer();
  const { url, ended } = await serveFolder(project, { state: path.join(CACHE, "vscode"), port });
  heading("VS Code is open at");
  say(`\n    ${url}\n`);
  say("Only this machine can reach it. Press Ctrl-C to stop.");
  openBrowser(url);
  await ended;
}

await main(async () => {
  const { project, open, port } = readArguments();
  heading("Setting up Testlens");
  const python = await prepareTestlens();
  if (project === EXAMPLE) await prepareExample(python);
  const planned = await analyse(project);
  if (!open) return planned;
  heading("Opening VS Code");
  if (!(await openInstalledCode(project))) await openInBrowser(project, port);
  return 0;
});
