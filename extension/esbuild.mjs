// Bundles the extension (extension/dist/extension.js) or, with --tests, its unit tests (extension/dist/test/).
import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const flags = new Set(process.argv.slice(2));
const production = flags.has("--production");

const common = { bundle: true, platform: "node", format: "cjs", target: "node20", logLevel: "info" };

const extension = {
  ...common,
  entryPoints: [join(here, "src/extension.ts")],
  outfile: join(here, "dist/extension.js"),
  external: ["vscode"],
  minify: production,
  sourcemap: true,
  // The language server libraries bring an UMD build that bundlers cannot follow, and an ESM build that they can.
  mainFields: ["module", "main"],
};

function testBundle() {
  const outdir = join(here, "dist/test");
  // A test that was deleted must not run from an older bundle.
  rmSync(outdir, { recursive: true, force: true });
  const tests = readdirSync(join(here, "test")).filter((name) => name.endsWith(".test.ts"));
  return { ...common, entryPoints: tests.map((name) => join(here, "test", name)), outdir, sourcemap: "inline" };
}

const options = flags.has("--tests") ? testBundle() : extension;
if (flags.has("--watch")) {
  const context = await esbuild.context(options);
  await context.watch();
} else {
  await esbuild.build(options);
}
if (!flags.has("--tests")) {
  // The viewer of mutation reports, as it is published: the report on the command line holds the same file.
  const viewer = "mutation-test-elements.js";
  mkdirSync(join(here, "dist"), { recursive: true });
  copyFileSync(join(here, "../server/testlens/report/assets", viewer), join(here, "dist", viewer));
}
