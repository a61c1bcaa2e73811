/** Child processes, always with an argument list and never through a shell. */
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { LOGS } from "./paths.mjs";
import { SetupError } from "./terminal.mjs";

const LINES_SHOWN_ON_FAILURE = 15;

/** Resolve with the exit code, or with 127 where the program does not exist. */
function exitCode(child) {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => (error.code === "ENOENT" ? resolve(127) : reject(error)));
    child.once("close", (code, signal) => resolve(code ?? (signal ? 130 : 1)));
  });
}

/** Run with this terminal as the child's own. Resolves with the exit code. */
export function runHere(command, args, options = {}) {
  return exitCode(spawn(command, args, { stdio: "inherit", ...options }));
}

/** Run and collect standard output. Resolves with `{ code, output }`. */
export async function capture(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"], ...options });
  const chunks = [];
  child.stdout?.on("data", (chunk) => chunks.push(chunk));
  return { code: await exitCode(child), output: Buffer.concat(chunks).toString("utf8").trim() };
}

/**
 * Run with the output in a log file, whose end is shown if the command fails.
 * @param {string} name of the log file
 * @param {string} advice what the user should do if it fails
 */
export async function runLogged(name, command, args, { advice, ...options } = {}) {
  mkdirSync(LOGS, { recursive: true });
  const file = path.join(LOGS, `${name}.log`);
  const log = createWriteStream(file);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  const code = await exitCode(child);
  await new Promise((resolve) => log.end(resolve));
  if (code === 0) return;
  const tail = readFileSync(file, "utf8").trimEnd().split("\n").slice(-LINES_SHOWN_ON_FAILURE).join("\n");
  const shown = [command, ...args].join(" ");
  throw new SetupError(`"${shown}" failed with exit code ${code}:\n${tail}\n(all of it: ${file})`, advice);
}

/** The npm that runs this script, or the one on PATH, as the start of a command line. */
export function npmCommand(node = process.execPath) {
  const cli = process.env.npm_execpath;
  return cli?.endsWith(".js") ? [node, cli] : ["npm"];
}

/** True if the program is on PATH and answers to `--version`. */
export async function isRunnable(command) {
  return (await capture(command, ["--version"])).code === 0;
}
