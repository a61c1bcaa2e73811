/** The view "Test gaps": the plan as a tree, riskiest first. */

import * as vscode from "vscode";
import type { Client } from "./client";
import { Coalescer } from "./coalescer";
import type { FolderStatus } from "./folderStatus";
import { distanceText, fileNodes, folderNode, riskLevel, type PlanNode, type RiskLevel } from "./planTree";
import type { Plan } from "./protocol";
import { onSettingChange, riskLevels } from "./settings";

const VIEW = "testlens.gaps";

const RISK_COLORS: Readonly<Record<RiskLevel, string>> = {
  high: "charts.red",
  medium: "charts.yellow",
  low: "charts.blue",
};

const TYPE_ICONS: Readonly<Record<PlanNode["type"], string>> = {
  folder: "root-folder",
  file: "file-code",
  function: "symbol-method",
  gap: "circle-large-outline",
};

/** Icons of gaps by kind: an empty circle for what never ran, a half one for a branch never taken. */
const GAP_ICONS: Readonly<Record<string, string>> = {
  uncovered: "circle-large-outline",
  partial: "color-mode",
  survivor: "bug",
};

interface FolderPlan {
  readonly folder: vscode.WorkspaceFolder;
  readonly plan: Plan;
}

export class GapTree implements vscode.TreeDataProvider<PlanNode>, vscode.Disposable {
  private readonly changeEmitter = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changeEmitter.event;

  private readonly view: vscode.TreeView<PlanNode>;
  private readonly listeners: readonly vscode.Disposable[];
  private readonly loading = new Coalescer(() => this.load());
  private roots: readonly PlanNode[] = [];

  constructor(
    private readonly client: Client,
    private readonly folders: FolderStatus,
    private readonly output: vscode.LogOutputChannel,
  ) {
    this.view = vscode.window.createTreeView(VIEW, { treeDataProvider: this, showCollapseAll: true });
    this.listeners = [
      folders.onChange(() => void this.loading.request()),
      onSettingChange(() => {
        this.changeEmitter.fire();
      }, "diagnostics"),
    ];
  }

  /** Brings the view to the front, with the focus in it. */
  async focus(): Promise<void> {
    await vscode.commands.executeCommand(`${VIEW}.focus`);
  }

  getChildren(node?: PlanNode): PlanNode[] {
    return [...(node?.children ?? this.roots)];
  }

  getTreeItem(node: PlanNode): vscode.TreeItem {
    const item = new vscode.TreeItem(node.label, this.collapsibleState(node));
    item.id = node.id;
    item.description = node.description;
    item.tooltip = node.tooltip;
    item.iconPath = icon(node);
    item.contextValue = node.type;
    if (node.gap) {
      const { uri, first } = node.gap;
      const selection = new vscode.Range(first, 0, first, 0);
      item.command = { title: "Open", command: "vscode.open", arguments: [vscode.Uri.parse(uri), { selection }] };
    }
    return item;
  }

  dispose(): void {
    vscode.Disposable.from(this.view, this.changeEmitter, ...this.listeners).dispose();
  }

  /** Folders and the riskiest file come open, the rest closed. */
  private collapsibleState(node: PlanNode): vscode.TreeItemCollapsibleState {
    if (node.children.length === 0) {
      return vscode.TreeItemCollapsibleState.None;
    }
    const open = node.type === "folder" || node === this.roots[0];
    return open ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed;
  }

  private async load(): Promise<void> {
    if (this.folders.unsettled) {
      // The plan changes when that is over; asking for it at each test would only cost time.
      return;
    }
    try {
      this.show(await this.plans());
    } catch (error) {
      this.output.error(`The plan could not be read: ${String(error)}`);
      this.view.message = "The plan could not be read. The output of Testlens says why.";
    }
  }

  private async plans(): Promise<FolderPlan[]> {
    const workspaceFolders = vscode.workspace.workspaceFolders ?? [];
    const withData = workspaceFolders.filter((folder) => {
      const status = this.folders.of(folder);
      return status?.state === "ready" || (status?.survivors ?? 0) > 0;
    });
    const plans = await Promise.all(
      withData.map(async (folder) => ({ folder, plan: await this.client.plan(folder.uri.toString()) })),
    );
    return plans.filter((each): each is FolderPlan => each.plan !== undefined);
  }

  private show(plans: readonly FolderPlan[]): void {
    const severalFolders = (vscode.workspace.workspaceFolders?.length ?? 0) > 1;
    this.roots = plans.flatMap(({ folder, plan }) => {
      const id = folder.uri.toString();
      return severalFolders ? [folderNode(folder.name, id, plan)] : fileNodes(plan, id);
    });
    // With several folders each has its own summary, in its tooltip. A message would also hide the view's welcome text.
    const [only] = plans;
    this.view.message = only && !severalFolders && this.roots.length > 0 ? distanceText(only.plan) : "";
    this.changeEmitter.fire();
  }
}

function icon({ type, risk, gap }: PlanNode): vscode.ThemeIcon {
  const id = (gap && GAP_ICONS[gap.kind]) ?? TYPE_ICONS[type];
  return new vscode.ThemeIcon(id, new vscode.ThemeColor(RISK_COLORS[riskLevel(risk, riskLevels())]));
}
