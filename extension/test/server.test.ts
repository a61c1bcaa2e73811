/** Which server is run, tried on real interpreters. */

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, suite, test } from "node:test";
import { resolveServer, sameServer, type Server } from "../src/server";

suite("the server to run", () => {
  let folder: string;
  let empty: string;
  const path = process.env["PATH"];

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "testlens-server-"));
    empty = join(folder, "empty");
    mkdirSync(empty);
  });

  after(() => {
    process.env["PATH"] = path;
    rmSync(folder, { recursive: true });
  });

  /** An executable that answers the probe as an interpreter with Testlens, or without, would. */
  function interpreter(name: string, suitable: boolean): string {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\nexit ${suitable ? 0 : 1}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  test("is the one that the user set, before that of the developer", async () => {
    const setting = interpreter("chosen", true);
    const resolution = await resolveServer({ setting, development: interpreter("dev", true), extensionFolder: empty });
    assert.ok("server" in resolution);
    assert.deepEqual([resolution.server.kind, resolution.server.executable], ["setting", setting]);
  });

  test("is never another one where the user's choice does not work, and the message names the choice", async () => {
    const setting = interpreter("broken", false);
    const resolution = await resolveServer({ setting, development: interpreter("dev", true), extensionFolder: empty });
    assert.ok("missing" in resolution);
    assert.match(resolution.missing, /broken.*testlens\.server\.interpreter/);
  });

  test("is the developer's where nothing is set", async () => {
    const development = interpreter("dev", true);
    const resolution = await resolveServer({ setting: undefined, development, extensionFolder: empty });
    assert.ok("server" in resolution);
    assert.equal(resolution.server.kind, "development");
  });

  test("is the bundled one before one on the PATH", async () => {
    interpreter("python3", true);
    process.env["PATH"] = folder;
    const extensionFolder = join(folder, "extension");
    mkdirSync(join(extensionFolder, "bundled", "libs", "testlens"), { recursive: true });
    const sources = { setting: undefined, development: undefined };
    const withBundle = await resolveServer({ ...sources, extensionFolder });
    const without = await resolveServer({ ...sources, extensionFolder: empty });
    process.env["PATH"] = path;
    assert.ok("server" in withBundle && "server" in without);
    assert.deepEqual([withBundle.server.kind, without.server.kind], ["bundled", "path"]);
    const libraries = join(extensionFolder, "bundled", "libs");
    const own = process.env["PYTHONPATH"];
    assert.deepEqual(withBundle.server.env, {
      PYTHONPATH: own ? libraries + delimiter + own : libraries,
      TESTLENS_BUNDLED_LIBS: libraries,
    });
  });

  test("is missing on a machine without Python, and the message says what to install", async () => {
    process.env["PATH"] = empty;
    const resolution = await resolveServer({ setting: undefined, development: undefined, extensionFolder: empty });
    process.env["PATH"] = path;
    assert.ok("missing" in resolution);
    assert.match(resolution.missing, /Python 3\.11 or later .*pip install testlens/);
  });

  test("is the same one only if all of it is the same", () => {
    const server: Server = { kind: "path", executable: "python3", args: ["-m", "testlens"], env: {} };
    assert.ok(sameServer(server, { ...server }));
    assert.ok(!sameServer(server, { ...server, env: { PYTHONPATH: "libs" } }));
    assert.ok(!sameServer(undefined, server));
  });
});
