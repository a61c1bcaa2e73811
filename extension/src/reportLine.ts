/** What the report says when one of its lines is clicked on. The page shows texts of the project, so nothing in it is trusted. */

export interface PlaceInFolder {
  /** Relative to the folder, and within it. */
  readonly path: string;
  /** 0-based. */
  readonly line: number;
}

/** The place that a message of the page names; undefined for any that means none within the folder. */
export function lineOfReport(message: unknown): PlaceInFolder | undefined {
  if (typeof message !== "object" || message === null || !("type" in message) || message.type !== "open") {
    return undefined;
  }
  const path = "path" in message ? message.path : undefined;
  const line = "line" in message ? message.line : undefined;
  if (typeof path !== "string" || typeof line !== "number" || !Number.isInteger(line) || line < 1) {
    return undefined;
  }
  const isWithin = path !== "" && !/^[/\\]|^[A-Za-z]:|\0/.test(path) && !path.split(/[/\\]/).includes("..");
  return isWithin ? { path, line: line - 1 } : undefined;
}
