/** Python: which interpreter to use, and virtual environments that follow a lock file. */
import path from "node:path";
import { ensureSystemPackages } from "./debian.mjs";
import { EXAMPLE_VENV, ROOT, SERVER_VENV, venvPython } from "./paths.mjs";
import { capture, runLogged } from "./processes.mjs";
import { digest, unlessStamped } from "./stamps.mjs";
import { SetupError } from "./terminal.mjs";

const OLDEST = [3, 11];
const CANDIDATES = [
  ["python3"],
  ["python"],
  ...[14, 13, 12, 11].map((minor) => [`python3.${minor}`]),
  ["py", "-3"],
];
const DESCRIBE = "import sys; print(sys.executable, *sys.version_info[:3], sep='\\n')";

function isRecentEnough([major, minor]) {
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

async function describe([command, ...args]) {
  const { code, output } = await capture(command, [...args, "-c", DESCRIBE]);
  if (code !== 0) return undefined;
  const [executable, ...version] = output.split(/\r?\n/);
  return { executable, version: version.map(Number) };
}

/**
 * The first interpreter on PATH that Testlens can run on.
 * @returns {Promise<{ executable: string, version: number[] }>}
 */
export async function findPython() {
  const tooOld = [];
  for (const candidate of CANDIDATES) {
    const found = await describe(candidate);
    if (found && isRecentEnough(found.version)) return found;
    if (found) tooOld.push(`${found.executable} is ${found.version.join(".")}`);
  }
  const seen = tooOld.length > 0 ? ` (${tooOld.join(", ")})` : "";
  throw new SetupError(
    `Testlens needs Python ${OLDEST.join(".")} or later, and none is on PATH${seen}.`,
    "Install it from https://www.python.org/downloads/ or with your package manager, then run the same command again.",
  );
}

async function ensureVenvModule(python) {
  // Debian leaves ensurepip out of its python3 package.
  const probe = ["-c", "import ensurepip, venv"];
  if ((await capture(python, probe)).code === 0) return;
  await ensureSystemPackages(["python3-venv"], "create virtual environments");
  if ((await capture(python, probe)).code === 0) return;
  throw new SetupError(`${python} cannot create virtual environments: its modules venv and ensurepip are missing.`);
}

function pipInstall(log, venv, ...args) {
  return runLogged(log, venvPython(venv), ["-m", "pip", "install", "--disable-pip-version-check", ...args], {
    advice: "Check the network connection and pip's configuration (pip config list), then run the same command again.",
  });
}

/**
 * Make a virtual environment hold exactly what a lock file says.
 * @param {{ executable: string, version: number[] }} python
 * @param {string} venv folder of the environment
 * @param {string} lock a file of requirements/
 * @returns {Promise<boolean>} whether anything had to be done
 */
async function ensureVenv(python, venv, lock) {
  const lockFile = path.join(ROOT, "requirements", lock);
  // An environment can be neither moved nor used by another interpreter.
  const wanted = digest({ files: [lockFile], values: [venv, python.executable, python.version.join(".")] });
  return unlessStamped(venv, wanted, async () => {
    await ensureVenvModule(python.executable);
    const log = `venv-${path.parse(lock).name}`;
    await runLogged(log, python.executable, ["-m", "venv", "--clear", venv]);
    await pipInstall(`${log}-packages`, venv, "--require-hashes", "--requirement", lockFile);
  });
}

/** The environment of Testlens itself, its checks and its tests. */
export async function ensureServerVenv(python) {
  const made = await ensureVenv(python, SERVER_VENV, "dev.lock");
  // Installed in place and stamped apart: a new version of Testlens does not need new packages.
  const wanted = digest({ files: [path.join(ROOT, "pyproject.toml")] });
  const installed = await unlessStamped(path.join(SERVER_VENV, "testlens"), wanted, () =>
    pipInstall("venv-testlens", SERVER_VENV, "--no-deps", "--no-build-isolation", "--editable", ROOT),
  );
  return made || installed;
}

/** The environment in which the example's tests run. */
export function ensureExampleVenv(python) {
  return ensureVenv(python, EXAMPLE_VENV, "example.lock");
}

/** The environment in which the extension finds the server of this checkout. */
export function withOurServer(env) {
  return { ...env, TESTLENS_SERVER_PYTHON: venvPython(SERVER_VENV) };
}
