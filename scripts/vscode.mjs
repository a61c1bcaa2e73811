/**
 * node scripts/vscode.mjs FOLDER --state DIR [--settings JSON] [--extension VSIX]... [--vsix VSIX]
 * Serves FOLDER in VS Code in the browser with the packed extension, and others beside it (--vsix: that one, with the server that it finds); prints one line of JSON, `{"url": ...}`, and runs
 * until it is terminated. The tests in tests/e2e use it.
 */
import { parseArgs } from "node:util";
import { serveFolder } from "./lib/codeServer.mjs";
import { main } from "./lib/terminal.mjs";

await main(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      state: { type: "string" },
      settings: { type: "string", default: "{}" },
      extension: { type: "string", multiple: true, default: [] },
      vsix: { type: "string" },
    },
  });
  const { url, ended } = await serveFolder(positionals[0], {
    state: values.state,
    settings: JSON.parse(values.settings),
    extensions: values.extension,
    vsix: values.vsix,
  });
  console.log(JSON.stringify({ url }));
  return ended;
});
