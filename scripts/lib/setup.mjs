/** The steps that `npm start` and `npm test` share, each skipped when nothing changed. */
import { existsSync } from "node:fs";
import { ensureCodeServer } from "./codeServer.mjs";
import { checkNode, ensureNodePackages, ensureVsix } from "./node.mjs";
import { EXAMPLE } from "./paths.mjs";
import { ensureExampleVenv, ensureServerVenv, findPython } from "./python.mjs";
import { step } from "./terminal.mjs";

const UP_TO_DATE = "up to date";

/** A step whose action resolves with whether there was anything to do. */
function installStep(title, action) {
  return step(title, async () => ((await action()) ? undefined : UP_TO_DATE));
}

/** Python, Testlens' environment, the node packages and the packed extension. */
export async function prepareTestlens() {
  checkNode();
  let python;
  await step("Python", async () => {
    python = await findPython();
    return `${python.version.join(".")} at ${python.executable}`;
  });
  await installStep("Testlens' environment (.venv)", () => ensureServerVenv(python));
  await installStep("Node packages", ensureNodePackages);
  await installStep("VS Code extension", ensureVsix);
  return python;
}

/** The environment of the example's tests. */
export async function prepareExample(python) {
  if (!existsSync(EXAMPLE)) return;
  await installStep("The example's environment (examples/clarity/.venv)", () => ensureExampleVenv(python));
}

/** VS Code in the browser; the first time takes some minutes. */
export function prepareCodeServer() {
  return installStep("VS Code in the browser (about 3 minutes the first time)", ensureCodeServer);
}
