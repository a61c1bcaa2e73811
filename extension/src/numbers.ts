/** Numbers as the user reads them. */

/** "64.2 %", "85 %": rounded as coverage.py rounds, so that only 0 is shown as 0 and only 100 as 100. */
export function percentText(percent: number, decimals = 1): string {
  const step = 10 ** -decimals;
  if (percent > 0 && percent < step) {
    return `${step} %`;
  }
  if (percent < 100 && percent > 100 - step) {
    return `${100 - step} %`;
  }
  return `${Number(percent.toFixed(decimals))} %`;
}

/** "▲0.4" or "▼0.4"; undefined for a change too small to show. */
export function deltaText(delta: number | null): string | undefined {
  const size = Math.abs(delta ?? 0).toFixed(1);
  if (delta === null || size === "0.0") {
    return undefined;
  }
  return `${delta > 0 ? "▲" : "▼"}${size}`;
}

/** "1 gap", "7 gaps". */
export function countText(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
