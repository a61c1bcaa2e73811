/** What the status bar says, as text. */

import { countText, deltaText, percentText } from "./numbers";
import type { StatusParams } from "./protocol";

export interface StatusView {
  readonly status: StatusParams | undefined;
  /** Whether there is no server, and none is on its way. */
  readonly serverDown: boolean;
  readonly file: { readonly name: string; readonly percent: number | null; readonly note: string | null } | undefined;
}

export function statusText({ status, serverDown }: StatusView): string {
  if (serverDown) {
    return "$(warning) Testlens";
  }
  switch (status?.state) {
    case undefined:
      return "$(loading~spin) Testlens";
    case "loading":
      return `$(loading~spin) ${status.percent === null ? "Testlens" : coverageText(status)}`;
    case "noData":
      return `$(beaker) ${["No coverage", scoreText(status)].filter(Boolean).join(" · ")}`;
    case "running":
      return `$(sync~spin) ${runText(status)}`;
    case "ready":
      return `$(beaker) ${[coverageText(status), scoreText(status), leftOutText(status)].filter(Boolean).join(" · ")}`;
  }
}

/** The same without icons, for a screen reader. */
export function spokenText(view: StatusView): string {
  return `Testlens: ${statusText(view).replaceAll(/\$\([^)]*\) ?/g, "").replace("→", "target")}`;
}

/** The tooltip, a line an entry. Plain text: whoever shows it as Markdown escapes it. */
export function tooltipLines({ status, serverDown, file }: StatusView): string[] {
  if (serverDown) {
    return ["The server is not running."];
  }
  if (!status) {
    return ["Reading the coverage data."];
  }
  const lines = status.state === "running" ? [runText(status)] : [];
  if (status.percent === null) {
    return [...lines, "No coverage data in this workspace.", ...mutantLines(status)];
  }
  const change = deltaText(status.delta);
  lines.push(`Workspace: ${percentText(status.percent)}${change ? ` (${change} since the run before)` : ""}`);
  if (file) {
    lines.push(`${file.name}: ${file.percent === null ? (file.note ?? "not measured") : percentText(file.percent)}`);
  }
  lines.push(status.outlook || `Target: ${percentText(status.target)}${distanceText(status)}`, countText(status.gaps, "gap"));
  lines.push(...mutantLines(status));
  if (status.leftOut > 0) {
    lines.push(`${leftOutText(status)} left to you: what only they say of the code is stale until they run.`);
  }
  return status.source ? [...lines, `Data: ${status.source}`] : lines;
}

function coverageText({ percent, target, delta }: StatusParams): string {
  if (percent === null) {
    return "No coverage";
  }
  const goal = percent < target ? `→ ${percentText(target)}` : "$(check)";
  return [percentText(percent), goal, deltaText(delta)].filter(Boolean).join(" ");
}

/** Of how many mutants belongs to it: that of one function is no score of a workspace. */
function scoreText({ mutationScore, mutants }: StatusParams): string {
  return mutationScore === null ? "" : `${percentText(mutationScore, 0)} of ${countText(mutants, "mutant")}`;
}

function leftOutText({ leftOut }: StatusParams): string {
  return leftOut > 0 ? countText(leftOut, "slow test") : "";
}

function mutantLines({ mutationScore, mutants, mutatedFiles, survivors }: StatusParams): string[] {
  if (mutationScore === null) {
    return [];
  }
  const checked = `${countText(mutants, "mutant")} checked in ${countText(mutatedFiles, "file")}`;
  return [
    `Mutation score: ${percentText(mutationScore)} of the ${checked}, ${countText(survivors, "survivor")} shown`,
  ];
}

function runText({ done, total, failed }: StatusParams): string {
  if (total === 0) {
    return "Collecting tests";
  }
  return `${done}/${countText(total, "test")}${failed > 0 ? `, ${failed} failed` : ""}`;
}

function distanceText({ percent, target, toTarget }: StatusParams): string {
  if (percent !== null && percent >= target) {
    return ", reached";
  }
  return toTarget === null ? "" : `, ${countText(toTarget, "function")} to go`;
}
