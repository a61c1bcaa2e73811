/** Where things are in the checkout. Everything under a cache or an environment folder is ignored by git and can be deleted. */
import path from "node:path";
import { fileURLToPath } from "node:url";

const IS_WINDOWS = process.platform === "win32";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const CACHE = path.join(ROOT, ".cache");
export const LOGS = path.join(CACHE, "logs");
export const SERVER_VENV = path.join(ROOT, ".venv");
export const EXAMPLE = path.join(ROOT, "examples", "clarity");
export const EXAMPLE_VENV = path.join(EXAMPLE, ".venv");
export const VSIX = path.join(ROOT, "build", "testlens.vsix");

/** The interpreter of a virtual environment. */
export function venvPython(venv) {
  return IS_WINDOWS ? path.join(venv, "Scripts", "python.exe") : path.join(venv, "bin", "python");
}
