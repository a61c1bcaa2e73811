/** The plan as the tree of nodes that "Test gaps" shows: file, function, gap. */

import { countText, percentText } from "./numbers";
import type { Plan, PlannedFile, PlannedFunction, PlannedGap } from "./protocol";

/** The risks from which a gap is a warning, and an information. */
export interface RiskLevels {
  readonly warningFrom: number;
  readonly informationFrom: number;
}

export type RiskLevel = "high" | "medium" | "low";

export interface PlanNode {
  /** Unique in the tree, and the same after a refresh, so that what is expanded stays so. */
  readonly id: string;
  readonly type: "folder" | "file" | "function" | "gap";
  readonly label: string;
  readonly description: string;
  readonly tooltip: string;
  readonly risk: number;
  readonly children: readonly PlanNode[];
  /** The gap to open on a click. */
  readonly gap?: PlannedGap;
}

/** The files of one folder's plan. `folder` keeps ids of different folders apart. */
export function fileNodes(plan: Plan, folder: string): PlanNode[] {
  return plan.files.map((file) => fileNode(file, folder));
}

/** One workspace folder as the root of its files, for workspaces with several. */
export function folderNode(name: string, folder: string, plan: Plan): PlanNode {
  const children = fileNodes(plan, folder);
  return {
    id: folder,
    type: "folder",
    label: name,
    description: plan.percent === null ? "no coverage" : percentText(plan.percent),
    tooltip: [plan.summary, plan.outlook].filter(Boolean).join("\n\n"),
    risk: children[0]?.risk ?? 0,
    children,
  };
}

/** How far the target is, in the one sentence for which there is room above the tree. */
export function distanceText({ summary, outlook }: Plan): string {
  return outlook || summary;
}

/** The gap of a node, or the riskiest of those below it; undefined where there is none. */
export function riskiestGap(node: PlanNode): PlannedGap | undefined {
  // Children come riskiest first at every level.
  const [first] = node.children;
  return node.gap ?? (first && riskiestGap(first));
}

export function riskLevel(risk: number, { warningFrom, informationFrom }: RiskLevels): RiskLevel {
  if (risk >= warningFrom) {
    return "high";
  }
  return risk >= informationFrom ? "medium" : "low";
}

function fileNode(file: PlannedFile, folder: string): PlanNode {
  const id = `${folder}|${file.path}`;
  const slash = file.path.lastIndexOf("/");
  const name = file.path.slice(slash + 1);
  const place = slash > 0 ? ` · ${file.path.slice(0, slash)}` : "";
  const children = distinct(file.functions.map((each) => functionNode(each, id)));
  return {
    id,
    type: "file",
    label: name,
    description: `${riskText(file.risk)} · ${coverageText(file.percent, 0)}${place}`,
    tooltip: `${file.path}: ${riskText(file.risk)}, ${coverageText(file.percent)} covered, ${countText(children.length, "function")} with gaps`,
    risk: file.risk,
    children,
  };
}

function functionNode({ name, risk, percent, gaps }: PlannedFunction, file: string): PlanNode {
  const id = `${file}|${name}`;
  return {
    id,
    type: "function",
    label: name,
    description: `${riskText(risk)} · ${coverageText(percent, 0)}`,
    tooltip: `${name}: ${riskText(risk)}, ${coverageText(percent)} covered, ${countText(gaps.length, "gap")}`,
    risk,
    children: distinct(gaps.map((gap) => gapNode(gap, id))),
  };
}

function gapNode(gap: PlannedGap, parent: string): PlanNode {
  return {
    id: `${parent}|${gap.kind}|${gap.title}`,
    type: "gap",
    label: gap.title,
    description: riskText(gap.risk),
    tooltip: `${gap.title}\n\n${gap.detail}`,
    risk: gap.risk,
    children: [],
    gap,
  };
}

/** Two siblings may bear one name, for example a function that is defined twice: the later ones are numbered. */
function distinct(nodes: readonly PlanNode[]): PlanNode[] {
  const seen = new Map<string, number>();
  return nodes.map((node) => {
    const count = (seen.get(node.id) ?? 0) + 1;
    seen.set(node.id, count);
    return count === 1 ? node : withIdSuffix(node, `#${count}`, node.id);
  });
}

function withIdSuffix(node: PlanNode, suffix: string, prefix: string): PlanNode {
  const id = prefix + suffix + node.id.slice(prefix.length);
  return { ...node, id, children: node.children.map((child) => withIdSuffix(child, suffix, prefix)) };
}

/** What was mutated need not have been measured. */
function coverageText(percent: number | null, digits?: number): string {
  return percent === null ? "coverage unknown" : percentText(percent, digits);
}

function riskText(risk: number): string {
  return `risk ${Math.round(risk)}`;
}
