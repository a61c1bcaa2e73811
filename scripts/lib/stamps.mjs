/** Stamps: what an installed folder was made from. The stamp is written last, so that an interrupted installation is made again. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const NAME = ".testlens-stamp";

/** A digest of files' contents and of plain strings. */
export function digest({ files = [], values = [] }) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file)).update("\0");
  for (const value of values) hash.update(value).update("\0");
  return hash.digest("hex");
}

/**
 * Make a folder again unless it was made from the same inputs.
 * @param {string} folder
 * @param {string} wanted digest of the inputs
 * @param {() => Promise<void>} make
 * @returns {Promise<boolean>} whether it had to be made
 */
export async function unlessStamped(folder, wanted, make) {
  const stamp = path.join(folder, NAME);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return false;
  rmSync(stamp, { force: true });
  await make();
  mkdirSync(folder, { recursive: true });
  writeFileSync(stamp, wanted);
  return true;
}
