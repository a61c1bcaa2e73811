/** Has the server write the workflow for CI, for the service that the user chooses. */

import * as vscode from "vscode";
import type { Client } from "./client";
import { chosenFolder } from "./folders";
import { ServerCommand } from "./protocol";

const SERVICES = [
  { label: "GitHub Actions", description: ".github/workflows/testlens.yml", service: "github" },
  { label: "GitLab CI", description: ".gitlab-ci.yml", service: "gitlab" },
] as const;

export async function initCi(client: Client): Promise<void> {
  const folder = await chosenFolder();
  if (!folder) {
    return;
  }
  const chosen = await vscode.window.showQuickPick(SERVICES, { placeHolder: "Write the workflow for which service?" });
  if (chosen) {
    await client.execute(ServerCommand.initCi, { folder: folder.uri.toString(), service: chosen.service });
  }
}
