/**
 * node scripts/package.mjs [--target TARGET]... [--out FOLDER]
 * Packs the extension with the server's libraries, for each target (all by default): build/testlens-TARGET-VERSION.vsix
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { TARGETS, bundleLibraries, ownTarget } from "./lib/bundle.mjs";
import { ensureNode24, withNode24 } from "./lib/node.mjs";
import { ROOT } from "./lib/paths.mjs";
import { npmCommand, runLogged } from "./lib/processes.mjs";
import { findPython } from "./lib/python.mjs";
import { SetupError, main, step } from "./lib/terminal.mjs";

const STAGED = [
  ...["README.md", "LICENSE", "CHANGELOG.md", ".vscodeignore", "docs/images", "media"],
  ...["extension/icons", "extension/dist/extension.js", "extension/dist/mutation-test-elements.js"],
];

function manifest() {
  return JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
}

/** What is packed is put together beside the checkout: a bundle left in it would go into every later package. */
function stage(folder) {
  rmSync(folder, { recursive: true, force: true });
  for (const name of STAGED) cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  const staged = { ...manifest(), scripts: {}, devDependencies: {} };
  writeFileSync(path.join(folder, "package.json"), JSON.stringify(staged, undefined, 2));
}

async function pack(python, node24, target, out) {
  const folder = path.join(ROOT, "build", "package", target);
  stage(folder);
  await bundleLibraries(python, path.join(folder, "bundled", "libs"), target);
  const file = path.join(out, `testlens-${target}-${manifest().version}.vsix`);
  const vsce = path.join(ROOT, "node_modules", "@vscode", "vsce", "vsce");
  const args = ["package", "--target", target, "--no-dependencies", "--allow-missing-repository", "--no-rewrite-relative-links"];
  await runLogged(`vsce-${target}`, node24.executable, [vsce, ...args, "--out", file], { cwd: folder, env: withNode24(node24) });
  rmSync(folder, { recursive: true });
}

await main(async () => {
  const { values } = parseArgs({
    options: {
      target: { type: "string", multiple: true, default: Object.keys(TARGETS) },
      out: { type: "string", default: path.join(ROOT, "build") },
    },
  });
  const targets = values.target.map((name) => (name === "own" ? ownTarget() : name));
  const unknown = targets.filter((name) => !(name in TARGETS));
  if (unknown.length > 0) {
    throw new SetupError("There is no such target.", `Name some of ${Object.keys(TARGETS).join(", ")}.`);
  }
  const { executable } = await findPython();
  const node24 = await ensureNode24();
  const [npm, ...args] = npmCommand();
  await step("Build", () => runLogged("build", npm, [...args, "run", "build"], { cwd: ROOT }));
  mkdirSync(values.out, { recursive: true });
  for (const target of targets) await step(target, () => pack(executable, node24, target, path.resolve(values.out)));
  return 0;
});
