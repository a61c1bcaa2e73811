/**
 * npm test [-- PYTEST-ARGUMENTS]
 * Sets up, then runs every check and every test. All run even if one fails; pytest's closing line is the last thing printed.
 */
import { BROWSER_PACKAGES, ensureSystemPackages, WORKFLOW_PACKAGES } from "./lib/debian.mjs";
import { ROOT, SERVER_VENV, venvPython } from "./lib/paths.mjs";
import { npmCommand, runHere } from "./lib/processes.mjs";
import { prepareCodeServer, prepareExample, prepareTestlens } from "./lib/setup.mjs";
import { heading, main, say, step } from "./lib/terminal.mjs";

const PYTHON = venvPython(SERVER_VENV);
const NPM_RUN = [...npmCommand(), "run", "--silent"];
// Two workers, since most tests start processes of their own; in the order of tests/conftest.py.
const SIDE_BY_SIDE = ["-n", "2", "--dist", "loadscope", "--no-loadscope-reorder"];

const CHECKS = [
  { name: "ruff check", command: [PYTHON, "-m", "ruff", "check", "."] },
  { name: "ruff format", command: [PYTHON, "-m", "ruff", "format", "--check", "."] },
  { name: "mypy", command: [PYTHON, "-m", "mypy"] },
  { name: "eslint", command: [...NPM_RUN, "lint"] },
  { name: "tsc", command: [...NPM_RUN, "typecheck"] },
  { name: "extension unit tests", command: [...NPM_RUN, "test:unit"] },
];

async function prepare() {
  const python = await prepareTestlens();
  await prepareExample(python);
  await prepareCodeServer();
  await step("Browser", () => ensureSystemPackages(BROWSER_PACKAGES, "test in a browser"));
  await step("What workflows call", () => ensureSystemPackages(WORKFLOW_PACKAGES, "run the steps of workflows"));
}

/** Resolves with the names of the checks that failed. */
async function runChecks() {
  const failed = [];
  for (const { name, command } of CHECKS) {
    heading(name);
    const code = await runHere(command[0], command.slice(1), { cwd: ROOT });
    if (code !== 0) failed.push(name);
  }
  return failed;
}

await main(async () => {
  heading("Setting up Testlens");
  await prepare();
  const failed = await runChecks();
  heading("pytest");
  if (failed.length > 0) say(`Failed before pytest: ${failed.join(", ")}`);
  // tests/conftest.py repeats the failed checks above pytest's closing line, where they are seen.
  const env = { ...process.env, TESTLENS_FAILED_CHECKS: failed.join(", ") };
  const code = await runHere(PYTHON, ["-m", "pytest", ...SIDE_BY_SIDE, ...process.argv.slice(2)], { cwd: ROOT, env });
  return code === 0 && failed.length > 0 ? 1 : code;
});
