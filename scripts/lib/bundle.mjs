/** The libraries that the packed extension brings with it, so that the server needs an interpreter and nothing else. */
import { cpSync, readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./paths.mjs";
import { runLogged } from "./processes.mjs";

/** What `vsce package --target` is called with, and the platforms for which pip takes wheels. */
export const TARGETS = {
  "linux-x64": ["manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"],
  "linux-arm64": ["manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64"],
  "darwin-x64": ["macosx_11_0_x86_64", "macosx_10_13_x86_64", "macosx_10_9_x86_64", "macosx_10_9_universal2"],
  "darwin-arm64": ["macosx_11_0_arm64", "macosx_11_0_universal2", "macosx_10_9_universal2"],
  "win32-x64": ["win_amd64"],
};

/** The target for the machine that this runs on. */
export function ownTarget() {
  const own = `${process.platform}-${process.arch}`;
  return own in TARGETS ? own : undefined;
}

const OURS = ["testlens", "testlens_agent"];
const OLDEST_PYTHON = "3.11";
const COMPILED = [".so", ".pyd", ".dylib", ".pyc"];

function strip(folder) {
  for (const name of readdirSync(folder)) {
    const entry = path.join(folder, name);
    if (name === "__pycache__" || (folder.endsWith("libs") && name === "bin")) {
      rmSync(entry, { recursive: true });
    } else if (statSync(entry).isDirectory()) {
      strip(entry);
    } else if (COMPILED.includes(path.extname(name))) {
      rmSync(entry);
    }
  }
}

/**
 * Put Testlens and what its server needs into a folder, as the lock file says.
 * @param {string} python an interpreter with pip; nothing is installed into it
 * @param {string} folder named `libs`
 * @param {keyof typeof TARGETS} target
 */
export async function bundleLibraries(python, folder, target) {
  const lock = path.join(ROOT, "requirements", "bundled.lock");
  const platforms = TARGETS[target].flatMap((name) => ["--platform", name]);
  const wheels = ["--only-binary=:all:", "--python-version", OLDEST_PYTHON, "--implementation", "cp", ...platforms];
  const options = ["--disable-pip-version-check", "--no-deps", "--no-compile", "--require-hashes", "--target", folder];
  await runLogged(`bundle-${target}`, python, ["-m", "pip", "install", ...options, ...wheels, "--requirement", lock]);
  for (const name of OURS) cpSync(path.join(ROOT, "server", name), path.join(folder, name), { recursive: true });
  // Compiled parts fit one version of Python, and the user's may be any: each of these libraries does without.
  strip(folder);
}
