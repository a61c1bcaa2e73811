// One file: its gaps, and its text with marks, named branches, survivors, and the tests of each line.

import { highlight } from "./highlight.mjs";

const STATES = {
  c: { name: "covered", symbol: "✓", words: "covered" },
  p: { name: "partial", symbol: "◐", words: "a branch never taken" },
  u: { name: "uncovered", symbol: "✗", words: "never run" },
  f: { name: "failing", symbol: "!", words: "run by failing tests only" },
  s: { name: "stale", symbol: "?", words: "changed since" },
};
const KINDS = { uncovered: "✗", partial: "◐", survivor: "☣" };

/**
 * A new element with attributes (`text` is its text) and children.
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {readonly (Node | string)[]} [children]
 */
export function make(tag, attributes = {}, children = []) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A sentence, with what stands between backticks as code. */
function prose(text) {
  const parts = text.split("`");
  return parts.length % 2 ? parts.map((part, index) => (index % 2 ? make("code", {}, [part]) : part)) : [text];
}

/** `1 gap`, `2 gaps`. */
export function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

export class SourceView {
  /**
   * @param {HTMLElement} section
   * @param {import("./data.mjs").Data} data
   * @param {(file: { path: string }, line?: number) => string} link
   * @param {((path: string, line: number) => void) | undefined} open shows a line in an editor, where there is one
   */
  constructor(section, data, link, open) {
    Object.assign(this, { section, data, link, open });
    this.place = -1;
    /** @type {HTMLElement[]} */
    this.lines = [];
    this.current = 0;
    // The panel of an editor becomes narrow when that shows a file beside it, and all lines move.
    if (open) addEventListener("resize", () => this.lines[this.current - 1]?.scrollIntoView({ block: "nearest" }));
  }

  /**
   * Shows a file, and brings a line (1-based) of it into view.
   * @param {number} place
   * @param {number | undefined} line
   */
  async show(place, line) {
    if (place !== this.place) {
      const source = await this.data.source(place);
      this.place = place;
      this.source = source;
      this.section.replaceChildren(...this.parts(this.data.files[place], source));
    }
    if (line) this.goTo(line);
    else this.section.querySelector("h2")?.focus();
  }

  /** Puts the focus on a line. */
  goTo(line) {
    this.mark(line);
    const element = this.lines[line - 1];
    element?.scrollIntoView({ block: "center" });
    element?.focus({ preventScroll: true });
  }

  /** Makes a line the current one. */
  mark(line) {
    this.lines[this.current - 1]?.classList.remove("current");
    this.current = line;
    this.lines[line - 1]?.classList.add("current");
  }

  /** Goes to the next gap (`by` is 1) or the one before (-1), round the ends. */
  goToGap(by) {
    const starts = [...new Set((this.source?.gaps ?? []).map((gap) => gap.first))].sort((one, other) => one - other);
    const ahead = by > 0 ? starts.find((line) => line > this.current) : starts.findLast((line) => line < this.current || !this.current);
    const line = ahead ?? starts.at(by > 0 ? 0 : -1);
    if (line) this.goTo(line);
  }

  parts(file, source) {
    const back = make("p", { class: "back" }, [make("a", { href: "#main" }, ["← Overview"])]);
    const title = make("h2", { id: "file-title", tabindex: "-1" }, [file.path]);
    this.lines = [];
    this.current = 0;
    if (!source) return [back, title, make("p", {}, ["Nothing is known of this file."])];
    const [statements, missing, branches, missingBranches] = source.numbers;
    const facts = [`${file.percent} % covered`, `${missing} of ${counted(statements, "statement")} never run`];
    if (branches) facts.push(`${missingBranches} of ${branches} ${branches === 1 ? "branch" : "branches"} never taken`);
    if (file.gaps) facts.push(`risk ${file.risk}`);
    const parts = [back, title, make("p", { class: "faint" }, [facts.join(" · ")])];
    if (source.note) parts.push(make("p", { class: "problems" }, [source.note]));
    if (source.gaps.length) parts.push(this.gapList(file, source));
    if (source.states.trim()) parts.push(legend(source));
    parts.push(this.text(file, source));
    return parts;
  }

  gapList(file, source) {
    const gaps = [...source.gaps].sort((one, other) => other.risk - one.risk);
    const items = gaps.map((gap) =>
      make("li", {}, [
        make("span", { class: `risk ${level(gap.risk)}` }, [`${gap.risk}`]),
        " ",
        make("a", { href: this.link(file, gap.first) }, prose(gap.title)),
        make("span", { class: "faint" }, [gap.function === "<module>" ? "" : ` ${gap.function}`]),
      ]),
    );
    const summary = make("summary", {}, [counted(gaps.length, "gap"), ", riskiest first"]);
    return make("details", { class: "gaps", open: "" }, [summary, make("ol", {}, items)]);
  }

  text(file, source) {
    const pieces = highlight(source.lines);
    const list = make("div", { class: "source", role: "list", tabindex: "0", "aria-label": `Source of ${file.path}` });
    /** @type {Map<number, import("./data.mjs").Gap[]>} */
    const gapsAt = new Map();
    for (const gap of source.gaps) gapsAt.set(gap.first, [...(gapsAt.get(gap.first) ?? []), gap]);
    source.lines.forEach((_, index) => {
      const line = this.line(file, source, index + 1, pieces[index] ?? []);
      this.lines.push(line);
      const gaps = gapsAt.get(index + 1) ?? [];
      // What never ran is a region, and is named above it; all else is said of one line.
      list.append(...gaps.filter(isRegion).map(note), line, ...gaps.filter((gap) => !isRegion(gap)).map(note));
    });
    list.addEventListener("click", (event) => void this.click(event, file));
    list.addEventListener("keydown", (event) => void this.key(event, file));
    return list;
  }

  line(file, source, number, pieces) {
    const state = STATES[source.states[number - 1]];
    const code = make(
      "code",
      {},
      pieces.map(([kind, text]) => (kind ? make("span", { class: `py-${kind}` }, [text]) : text)),
    );
    const parts = [make("a", { class: "n", href: this.link(file, number), tabindex: "-1" }, [`${number}`])];
    parts.push(state ? make("b", { role: "img", "aria-label": state.words, title: state.words }, [state.symbol]) : make("b"), code);
    const set = source.sets[source.runs[number - 1] - 1];
    if (set && state) parts.push(make("button", { type: "button", class: "tests", tabindex: "-1", "aria-expanded": "false" }, [counted(set[0], "test")]));
    return make("div", { class: `l ${state?.name ?? ""}`, role: "listitem", tabindex: "-1", "data-line": `${number}` }, parts);
  }

  async click(event, file) {
    const line = event.target.closest(".l");
    if (!line || getSelection()?.toString()) return;
    const number = Number(line.dataset.line);
    if (event.target.closest(".tests")) {
      await this.toggleTests(number);
    } else if (this.open) {
      event.preventDefault();
      event.stopPropagation();
      this.mark(number);
      this.open(file.path, number);
    }
  }

  async key(event, file) {
    if (event.target.closest("a, button, summary") || event.ctrlKey || event.metaKey || event.altKey) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      this.goTo(Math.min(Math.max(this.current + by, 1), this.lines.length));
    } else if (event.key === "Enter" && this.current) {
      event.preventDefault();
      if (event.shiftKey || !this.open) await this.toggleTests(this.current);
      else this.open(file.path, this.current);
    }
  }

  /** Shows or hides the tests of a line, below it. */
  async toggleTests(number) {
    const line = this.lines[number - 1];
    const button = line.querySelector(".tests");
    if (!button || !this.source) return;
    const shown = line.nextElementSibling;
    if (shown?.classList.contains("runs")) {
      shown.remove();
      button.ariaExpanded = "false";
      return;
    }
    const { count, tests } = await this.data.tests(this.source, number);
    const items = tests.map(({ name, failed }) => make("li", failed ? { class: "failed" } : {}, [failed ? `✗ ${name} (failed)` : name]));
    if (count > tests.length) items.push(make("li", { class: "faint" }, [`and ${count - tests.length} more`]));
    line.after(make("div", { class: "under runs", role: "listitem" }, [make("ul", { "aria-label": `Tests of line ${number}` }, items)]));
    button.ariaExpanded = "true";
  }
}

function isRegion(gap) {
  return gap.kind === "uncovered";
}

/** What is missing, beside the line where it begins. */
function note(gap) {
  const reason = gap.reason ? `: ${gap.reason}` : "";
  const parts = [
    make("span", { "aria-hidden": "true" }, [`${KINDS[gap.kind] ?? ""} `]),
    ...prose(`${gap.title}${reason} `),
    make("span", { class: "faint" }, [`risk ${gap.risk}${gap.why ? ` (${gap.why})` : ""}`]),
  ];
  if (gap.diff) parts.push(make("pre", { class: "diff" }, diffLines(gap.diff)));
  return make("div", { class: `under ${gap.kind}`, role: "listitem" }, parts);
}

/** The lines of a diff without its head, which names the place that it stands at, and without empty ones around it. */
function diffLines(diff) {
  const lines = diff.trimEnd().split("\n");
  const head = lines.findIndex((line) => line.startsWith("@@"));
  const first = lines.findIndex((line, index) => index > head && line.trim());
  return lines.slice(first).map((line) => {
    const kind = { "+": "added", "-": "removed" }[line[0]] ?? "";
    return make("span", { class: kind }, [`${line}\n`]);
  });
}

/** What the marks mean that a source has. */
function legend({ states }) {
  const shown = Object.entries(STATES).filter(([letter]) => states.includes(letter));
  const items = shown.map(([, { name, symbol, words }]) =>
    make("li", {}, [make("b", { class: name, "aria-hidden": "true" }, [symbol]), ` ${words}`]),
  );
  return make("ul", { class: "legend faint", "aria-label": "Marks" }, items);
}

export function level(risk) {
  if (risk >= 60) return "high";
  return risk >= 35 ? "medium" : "low";
}
