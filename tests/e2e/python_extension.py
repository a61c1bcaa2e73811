"""A stand-in for the Python extension: its identifier, and the part of its interface by which others learn the choice.

https://github.com/microsoft/vscode-python/wiki/Python-Environment-APIs describes that interface.
"""

import json
import zipfile
from pathlib import Path

# `chosen` is a file with the path of an interpreter; choosing another one is writing it and running the command.
SOURCE = """
const { readFileSync } = require("node:fs");
const vscode = require("vscode");

exports.activate = (context) => {
  const changed = new vscode.EventEmitter();
  const chosen = () => readFileSync(CHOSEN, "utf8").trim();
  const tell = () => changed.fire({ id: chosen(), path: chosen(), resource: undefined });
  context.subscriptions.push(changed, vscode.commands.registerCommand("python.tellChoice", tell));
  return {
    environments: {
      getActiveEnvironmentPath: () => ({ id: chosen(), path: chosen() }),
      resolveEnvironment: async ({ id, path }) => ({ id, path, executable: { uri: vscode.Uri.file(path) } }),
      onDidChangeActiveEnvironmentPath: changed.event,
    },
  };
};
"""
PACKAGE = {
    "name": "python",
    "publisher": "ms-python",
    "displayName": "Python (stand-in)",
    "version": "1.0.0",
    "engines": {"vscode": "^1.96.0"},
    "main": "./extension.js",
    "activationEvents": [],
    "contributes": {"commands": [{"command": "python.tellChoice", "title": "Tell the Choice", "category": "Python"}]},
}
TYPES = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension=".json" ContentType="application/json"/>
<Default Extension=".js" ContentType="application/javascript"/>
<Default Extension=".vsixmanifest" ContentType="text/xml"/>
</Types>
"""
MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
<Metadata>
<Identity Language="en-US" Id="python" Version="1.0.0" Publisher="ms-python"/>
<DisplayName>Python (stand-in)</DisplayName>
<Properties><Property Id="Microsoft.VisualStudio.Code.Engine" Value="^1.96.0"/></Properties>
</Metadata>
<Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
<Assets>
<Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
</Assets>
</PackageManifest>
"""


def pack_python_extension(file: Path, chosen: Path) -> Path:
    """Write the packed extension; what it says was chosen is in the file `chosen`. Returns `file`."""
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", TYPES)
        archive.writestr("extension.vsixmanifest", MANIFEST)
        archive.writestr("extension/package.json", json.dumps(PACKAGE))
        archive.writestr("extension/extension.js", f"const CHOSEN = {json.dumps(str(chosen))};\n{SOURCE}")
    return file
