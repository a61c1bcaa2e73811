/** Node packages, the newer Node that some tools want, and the packed extension. */
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CACHE, ROOT, VSIX } from "./paths.mjs";
import { npmCommand, runLogged } from "./processes.mjs";
import { digest, unlessStamped } from "./stamps.mjs";
import { SetupError } from "./terminal.mjs";

const OLDEST_NODE = 20;
const NODE_24 = "24.21.0";
const NETWORK_ADVICE = "Check the network connection and npm's configuration (npm config list), then run the same command again.";
const VIEWER = "server/testlens/report/assets";
const PACKAGED = ["package.json", "package-lock.json", ".vscodeignore", "README.md", "LICENSE", "CHANGELOG.md", "media", "extension", VIEWER];
const NOT_PACKAGED = new Set(["node_modules", "dist", "test"]);

/** Fail early, in words, on a Node that cannot run the tools. */
export function checkNode() {
  if (Number(process.versions.node.split(".")[0]) >= OLDEST_NODE) return;
  throw new SetupError(
    `Testlens needs Node ${OLDEST_NODE} or later to build its extension; this is ${process.versions.node}.`,
    "Install it from https://nodejs.org/ and run the same command again.",
  );
}

/** Install what package-lock.json says. Resolves with whether anything had to be done. */
export function ensureNodePackages() {
  const wanted = digest({ files: [path.join(ROOT, "package-lock.json")] });
  const [npm, ...args] = npmCommand();
  return unlessStamped(path.join(ROOT, "node_modules"), wanted, () =>
    runLogged("npm-ci", npm, [...args, "ci", "--no-audit", "--no-fund"], { cwd: ROOT, advice: NETWORK_ADVICE }),
  );
}

/**
 * Install a package into a folder of its own below the cache.
 * @param {string} folder
 * @param {string} specifier `name@version`
 * @param {object} [options]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {string} [options.node] the Node that npm and the packages' install scripts run on
 * @param {string[]} [options.scriptsOf] packages whose install scripts must run: npm blocks the others'
 */
export async function installInto(folder, specifier, { env = process.env, node = process.execPath, scriptsOf = [] } = {}) {
  mkdirSync(folder, { recursive: true });
  // Without a package.json here npm would install into the checkout above.
  const manifest = { private: true, allowScripts: Object.fromEntries(scriptsOf.map((name) => [name, true])) };
  writeFileSync(path.join(folder, "package.json"), JSON.stringify(manifest));
  const [npm, ...args] = npmCommand(node);
  await runLogged(`npm-${path.basename(folder)}`, npm, [...args, "install", "--no-audit", "--no-fund", specifier], {
    cwd: folder,
    env,
    advice: NETWORK_ADVICE,
  });
}

/**
 * Node 24 as an npm package: vsce and code-server want a newer Node than we ask of the user.
 * @returns {Promise<{ home: string, executable: string }>} `home` also holds the headers that native modules are built with
 */
export async function ensureNode24() {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const folder = path.join(CACHE, "node24");
  const specifier = `${name}@${NODE_24}`;
  await unlessStamped(folder, digest({ values: [specifier] }), () => installInto(folder, specifier));
  const home = path.join(folder, "node_modules", name);
  return { home, executable: path.join(home, "bin", process.platform === "win32" ? "node.exe" : "node") };
}

/** The environment in which `node` means Node 24, for programs that start it by name. */
export function withNode24(node24) {
  const PATH = [path.dirname(node24.executable), process.env.PATH].join(path.delimiter);
  const env = { ...process.env, PATH, npm_config_nodedir: node24.home };
  // Set by the npm that runs this script; code-server's installation reads the version of Node from it.
  delete env.npm_config_user_agent;
  return env;
}

function filesBelow(entry) {
  if (!existsSync(entry)) return [];
  if (!statSync(entry).isDirectory()) return [entry];
  return readdirSync(entry)
    .filter((name) => !NOT_PACKAGED.has(name))
    .sort()
    .flatMap((name) => filesBelow(path.join(entry, name)));
}

/** Build and pack the extension into `VSIX`. Resolves with whether anything had to be done. */
export async function ensureVsix() {
  const files = PACKAGED.flatMap((name) => filesBelow(path.join(ROOT, name)));
  return unlessStamped(path.dirname(VSIX), digest({ files }), async () => {
    const node24 = await ensureNode24();
    mkdirSync(path.dirname(VSIX), { recursive: true });
    const vsce = path.join(ROOT, "node_modules", "@vscode", "vsce", "vsce");
    const args = ["package", "--no-dependencies", "--allow-missing-repository", "--no-rewrite-relative-links", "--out", VSIX];
    await runLogged("vsce", node24.executable, [vsce, ...args], { cwd: ROOT, env: withNode24(node24) });
  });
}
