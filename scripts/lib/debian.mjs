/** System packages on Debian and its descendants: installed where we are root, asked for where we are not. */
import { existsSync } from "node:fs";
import { capture, runLogged } from "./processes.mjs";
import { SetupError } from "./terminal.mjs";

export const BUILD_PACKAGES = ["g++", "make", "pkg-config", "libkrb5-dev", "libx11-dev", "libxkbfile-dev", "libsecret-1-dev"];
export const BROWSER_PACKAGES = ["chromium", "fonts-dejavu-core"];
/** What steps of the workflow that Testlens writes call beside Python, as GitHub's own machines have it. */
export const WORKFLOW_PACKAGES = ["jq"];

const WITHOUT_QUESTIONS = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };

async function isInstalled(name) {
  const { code, output } = await capture("dpkg-query", ["--show", "--showformat=${db:Status-Status}", name]);
  return code === 0 && output === "installed";
}

async function missing(names) {
  const installed = await Promise.all(names.map(isInstalled));
  return names.filter((_, index) => !installed[index]);
}

/**
 * Make sure that packages are installed. Elsewhere than on Debian nothing is done.
 * @param {string[]} names
 * @param {string} purpose completes the sentence "... is needed to"
 */
export async function ensureSystemPackages(names, purpose) {
  if (!existsSync("/etc/debian_version")) return;
  const wanted = await missing(names);
  if (wanted.length === 0) return;
  const command = `apt-get install ${wanted.join(" ")}`;
  if (process.getuid?.() !== 0) {
    throw new SetupError(`To ${purpose}, these system packages are needed: ${wanted.join(", ")}.`, `Run: sudo ${command}`);
  }
  const advice = `Run it by hand to see why: ${command}`;
  await runLogged("apt-update", "apt-get", ["update"], { advice, env: WITHOUT_QUESTIONS });
  await runLogged("apt-install", "apt-get", ["install", "--yes", "--no-install-recommends", ...wanted], {
    advice,
    env: WITHOUT_QUESTIONS,
  });
}
