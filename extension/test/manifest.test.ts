/** What the manifest declares is what the rest of the house goes by. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import manifest from "../../package.json";
import { MARK_STATES } from "../src/marks";

const SERVER_OPTIONS = "server/testlens/lsp/options.py";
const PROJECT_CONFIG = "server/testlens/sources/project_config.py";
const { colors, commands, configuration, keybindings, menus, viewsWelcome } = manifest.contributes;

suite("the manifest", () => {
  test("shows the defaults of diagnostics that the server has", () => {
    const source = readFileSync(SERVER_OPTIONS, "utf8");
    const defaults = {
      minimum_risk: configuration.properties["testlens.diagnostics.minimumRisk"].default,
      maximum_per_file: configuration.properties["testlens.diagnostics.maximumPerFile"].default,
      warning_from: configuration.properties["testlens.diagnostics.warningFrom"].default,
      information_from: configuration.properties["testlens.diagnostics.informationFrom"].default,
    };
    for (const [name, shown] of Object.entries(defaults)) {
      const found = new RegExp(`\\b${name}: \\w+ = ([\\d.]+)`).exec(source)?.[1];
      assert.equal(Number(found), shown, `${name} in ${SERVER_OPTIONS}`);
    }
  });

  test("shows the defaults for scaffolds that a project has", () => {
    const source = readFileSync(PROJECT_CONFIG, "utf8");
    for (const name of ["budget", "network", "style"] as const) {
      const found = new RegExp(`scaffold_${name}: \\w+ = (.+)`).exec(source)?.[1] ?? "nothing";
      const shown = configuration.properties[`testlens.scaffold.${name}`].default;
      assert.equal(JSON.parse(found.toLowerCase()), shown, `${name} in ${PROJECT_CONFIG}`);
    }
  });

  test("has a colour for each state of a line, in each kind of theme", () => {
    const themes = ["light", "dark", "highContrast", "highContrastLight"];
    const declared = new Map(colors.map(({ id, defaults }) => [id, Object.keys(defaults).sort()]));
    for (const state of MARK_STATES) {
      assert.deepEqual(declared.get(`testlens.${state}`), themes.toSorted(), state);
    }
  });

  test("points only to commands that it declares", () => {
    const declared = new Set(commands.map(({ command }) => command));
    const linked = [...JSON.stringify(viewsWelcome).matchAll(/command:(testlens\.\w+)/g)].map(([, command]) => command);
    assert.ok(linked.length > 0);
    const placed = [...keybindings, ...Object.values(menus).flat()].map(({ command }) => command);
    for (const command of [...linked, ...placed]) {
      assert.ok(command !== undefined && declared.has(command), command);
    }
  });

  test("lets no untrusted workspace say what is run", () => {
    const restricted = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
    assert.deepEqual(restricted, [
      "testlens.python",
      "testlens.pytestArgs",
      "testlens.scaffold.network",
      "testlens.server.interpreter",
    ]);
  });
});
