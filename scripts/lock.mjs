/**
 * node scripts/lock.mjs
 * Writes requirements/*.lock from requirements/*.in, with pip-tools in an environment of its own.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { CACHE, ROOT, venvPython } from "./lib/paths.mjs";
import { runHere, runLogged } from "./lib/processes.mjs";
import { findPython } from "./lib/python.mjs";
import { main, step } from "./lib/terminal.mjs";

const VENV = path.join(CACHE, "pip-tools");
const ENVIRONMENTS = ["dev", "bundled", "example", "published"];
// A lock says what is installed, not where one machine got it from.
const PORTABLE = ["--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links", "--no-emit-options", "--no-header"];
const OPTIONS = ["--quiet", "--generate-hashes", "--allow-unsafe", "--strip-extras", "--no-annotate", ...PORTABLE];

async function ensurePipTools() {
  if (existsSync(venvPython(VENV))) return "up to date";
  const { executable } = await findPython();
  await runLogged("pip-tools-venv", executable, ["-m", "venv", VENV]);
  await runLogged("pip-tools", venvPython(VENV), ["-m", "pip", "install", "pip-tools"]);
}

async function lock(name) {
  const files = ["--output-file", `requirements/${name}.lock`, `requirements/${name}.in`];
  return runHere(venvPython(VENV), ["-m", "piptools", "compile", ...OPTIONS, ...files], { cwd: ROOT });
}

await main(async () => {
  await step("pip-tools", ensurePipTools);
  const codes = [];
  for (const name of ENVIRONMENTS) codes.push(await lock(name));
  return Math.max(...codes);
});
