// The search box: files and functions by parts of their names.

import { level, make } from "./source.mjs";

const MOST = 40;

/** @typedef {{ place: number, name: string, path: string, line?: number, risk: number, text: string }} Entry */

/**
 * @param {import("./data.mjs").FileRow[]} files
 * @returns {Entry[]}
 */
export function entries(files) {
  return files.flatMap((file, place) => {
    const own = { place, name: file.path.slice(file.path.lastIndexOf("/") + 1), path: file.path, risk: file.risk, text: file.path.toLowerCase() };
    const inside = file.functions.map(({ name, line, risk }) => ({ place, name, path: file.path, line, risk, text: `${file.path} ${name}`.toLowerCase() }));
    return [own, ...inside];
  });
}

/**
 * What has every word of `wanted` in it: names that begin with the last word first, then names that have it, then the riskiest.
 * @param {readonly Entry[]} all
 * @param {string} wanted
 */
export function find(all, wanted) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const last = words.at(-1);
  if (last === undefined) return [];
  const rank = ({ name }) => {
    const place = name.toLowerCase().indexOf(last);
    return place < 0 ? 2 : Math.min(place, 1);
  };
  const found = all.filter(({ text }) => words.every((word) => text.includes(word)));
  return found.sort((one, other) => rank(one) - rank(other) || other.risk - one.risk || one.text.localeCompare(other.text)).slice(0, MOST);
}

/** The box, and the list below it. */
export class Search {
  /**
   * @param {HTMLInputElement} input
   * @param {HTMLElement} list
   * @param {Entry[]} all
   * @param {(entry: Entry) => void} choose
   */
  constructor(input, list, all, choose) {
    Object.assign(this, { input, list, all, choose });
    /** @type {Entry[]} */
    this.found = [];
    this.active = 0;
    input.addEventListener("input", () => this.update());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => this.show([]));
    input.addEventListener("focus", () => this.update());
    // Before the box loses the focus, and with it its list.
    list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) this.take(this.found[Number(option.dataset.index)]);
    });
  }

  update() {
    this.show(find(this.all, this.input.value));
    if (this.found.length || !this.input.value.trim()) return;
    this.list.replaceChildren(make("li", { class: "faint", role: "option", "aria-disabled": "true" }, ["No file and no function has this in its name."]));
    this.list.hidden = false;
    this.input.ariaExpanded = "true";
  }

  show(found) {
    this.found = found;
    this.list.replaceChildren(...found.map(option));
    this.list.hidden = !found.length;
    this.input.ariaExpanded = `${found.length > 0}`;
    this.mark(0);
  }

  mark(index) {
    this.active = index;
    this.list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    const chosen = this.list.children[index];
    chosen?.setAttribute("aria-selected", "true");
    chosen?.scrollIntoView({ block: "nearest" });
    if (chosen) this.input.setAttribute("aria-activedescendant", chosen.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && this.found.length) {
      event.preventDefault();
      this.mark((this.active + by + this.found.length) % this.found.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.take(this.found[this.active]);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      this.input.value = "";
      this.input.blur();
    }
  }

  take(entry) {
    if (!entry) return;
    this.input.value = "";
    this.input.blur();
    this.choose(entry);
  }
}

function option(entry, index) {
  const risk = make("span", { class: `risk ${level(entry.risk)}` }, [`${entry.risk}`]);
  const name = make("span", { class: "found-name" }, [entry.name]);
  const path = make("span", { class: "path faint" }, [entry.line ? `${entry.path}:${entry.line}` : entry.path]);
  return make("li", { role: "option", id: `found-${index}`, "data-index": `${index}`, "aria-selected": "false" }, [risk, name, path]);
}
