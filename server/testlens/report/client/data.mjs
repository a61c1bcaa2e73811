// What the page carries (report/page_data.py), unpacked part by part when it is looked at.

/** @typedef {{ name: string, line: number, risk: number, percent: string }} FunctionRow */
/** @typedef {{ path: string, statements: number, percent: string, risk: number, gaps: number, survivors: number, functions: FunctionRow[] }} FileRow */
/** @typedef {{ first: number, last: number, kind: string, function: string, risk: number, title: string, reason: string, why: string, diff: string }} Gap */
/** @typedef {{ lines: string[], states: string, gaps: Gap[], runs: number[], sets: number[][], note: string, numbers: number[] }} Source */

/**
 * The value of a part: JSON, in gzip, in base 64.
 * @param {string} packed
 */
export async function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** Everything that the page knows, by the place of a file in `files`. */
export class Data {
  /** @param {{ index: string, tests: string, sources: string[] }} parts */
  constructor(parts) {
    this.parts = parts;
    /** @type {FileRow[]} */
    this.files = [];
    /** @type {Promise<string[]> | undefined} */
    this.names = undefined;
  }

  /** Reads the overview; until then there are no files. */
  async open() {
    const rows = await unpack(this.parts.index);
    this.files = rows.map(([path, statements, percent, risk, gaps, survivors, functions]) => ({
      path,
      statements,
      percent,
      risk,
      gaps,
      survivors,
      functions: functions.map(([name, line, itsRisk, itsPercent]) => ({ name, line, risk: itsRisk, percent: itsPercent })),
    }));
    return this;
  }

  /**
   * One file, line by line; undefined where there is none.
   * @param {number} place
   * @returns {Promise<Source | undefined>}
   */
  async source(place) {
    const packed = this.parts.sources[place];
    if (!packed) return undefined;
    const source = await unpack(packed);
    const gaps = source.gaps.map(([first, last, kind, itsFunction, risk, title, reason, why, diff]) => ({
      first,
      last,
      kind,
      function: itsFunction,
      risk,
      title,
      reason,
      why,
      diff,
    }));
    return { ...source, gaps, lines: source.text.split("\n") };
  }

  /**
   * The tests that ran a line (1-based), failing ones first, and how many there are in all.
   * @param {Source} source
   * @param {number} line
   */
  async tests(source, line) {
    const [count, ...places] = source.sets[source.runs[line - 1] - 1] ?? [0];
    this.names ??= unpack(this.parts.tests);
    const names = await this.names;
    return {
      count,
      tests: places.map((place) => {
        const failed = names[place].startsWith("!");
        return { name: failed ? names[place].slice(1) : names[place], failed };
      }),
    };
  }
}
