/**
 * node scripts/settings.mjs [--check]
 * Writes docs/settings.md, the page of all settings, from package.json; with --check it only says whether it is up to date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "./lib/paths.mjs";
import { SetupError, main } from "./lib/terminal.mjs";

const PAGE = path.join(ROOT, "docs", "settings.md");
const HEAD = `# Settings

All settings of the extension, as \`package.json\` declares them (\`node scripts/settings.mjs\` writes this page). Those that a team shares go into \`[tool.testlens]\` of \`pyproject.toml\`: see the
[README](../README.md#settings).

| setting | type | default | meaning |
| --- | --- | --- | --- |
`;

const LINKED = /`#([\w.]+)#`/g;

function cell(text) {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

function type(property) {
  if (!property.enum) return property.type;
  const descriptions = property.markdownEnumDescriptions ?? property.enumDescriptions;
  return property.enum.map((value, index) => `\`${value}\`: ${descriptions[index].replace(LINKED, "`$1`")}`).join("<br>");
}

function row([name, property]) {
  // VS Code makes a link of the name of a setting between these signs.
  const meaning = property.markdownDescription.replace(LINKED, "`$1`");
  return `| \`${name}\` | ${cell(type(property))} | \`${cell(JSON.stringify(property.default))}\` | ${cell(meaning)} |\n`;
}

await main(() => {
  const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
  const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8"));
  const page = HEAD + Object.entries(manifest.contributes.configuration.properties).map(row).join("");
  if (!values.check) writeFileSync(PAGE, page);
  else if (readFileSync(PAGE, "utf8") !== page) throw new SetupError("docs/settings.md is not what package.json says.", "Run: node scripts/settings.mjs");
  return 0;
});
