// Puts the parts of the page together: what is shown, keys, theme, and the editor that it may be a panel of.

import { Data } from "./data.mjs";
import { RiskMap } from "./map.mjs";
import { entries, Search } from "./search.mjs";
import { SourceView } from "./source.mjs";

const THEMES = ["auto", "light", "dark"];

/** The address of a file within the page, and of a line (1-based) of it. */
function link({ path }, line) {
  return `#/${path.split("/").map(encodeURIComponent).join("/")}${line ? `:${line}` : ""}`;
}

/** The file and the line of such an address; undefined for any other. */
function target(hash) {
  const [, path, line] = /^#\/(.*?)(?::(\d+))?$/.exec(hash) ?? [];
  try {
    return path && { path: decodeURIComponent(path), line: line ? Number(line) : undefined };
  } catch {
    return undefined;
  }
}

function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no ${id}.`);
  return found;
}

class Page {
  /** @param {Data} data */
  constructor(data) {
    // Only a panel of VS Code has this.
    this.editor = globalThis.acquireVsCodeApi?.();
    this.title = document.title;
    this.places = new Map(data.files.map((file, place) => [file.path, place]));
    const open = this.editor && ((path, line) => this.editor.postMessage({ type: "open", path, line }));
    this.source = new SourceView(element("file"), data, link, open);
    const search = new Search(element("search"), element("found"), entries(data.files), ({ path, line }) => this.go(link({ path }, line)));
    document.addEventListener("click", (event) => this.click(event));
    document.addEventListener("keydown", (event) => this.key(event, search));
    addEventListener("popstate", () => void this.show(location.hash));
    for (const id of ["tools", "map-section", "keys"]) element(id).hidden = false;
    this.setUpTheme();
    this.map = new RiskMap(element("map"), data.files, link);
    void this.show(this.editor?.getState()?.shown ?? location.hash);
  }

  /** Shows what an address means, and lets the browser's own back button come back. */
  go(hash) {
    if (!this.editor) history.pushState(null, "", hash);
    void this.show(hash);
  }

  async show(hash) {
    const wanted = target(hash);
    const place = wanted && this.places.get(wanted.path);
    const isFile = place !== undefined;
    this.editor?.setState({ shown: isFile ? hash : "" });
    document.title = isFile ? `${wanted.path} · ${this.title}` : this.title;
    element("file").hidden = !isFile;
    element("overview").hidden = isFile;
    if (isFile) {
      document.body.scrollIntoView();
      await this.source.show(place, wanted.line);
      return;
    }
    const anchor = hash.length > 1 && document.getElementById(hash.slice(1));
    if (anchor) {
      anchor.scrollIntoView();
      anchor.focus({ preventScroll: true });
    }
  }

  click(event) {
    const clicked = event.target.closest("a[href^='#']");
    if (!clicked || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.go(clicked.getAttribute("href"));
  }

  key(event, search) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input")) return;
    const isFile = !element("file").hidden;
    if (event.key === "/") {
      event.preventDefault();
      search.input.focus();
    } else if (event.key === "Escape" && isFile) {
      this.go("#main");
    } else if (isFile && (event.key === "n" || event.key === "p")) {
      this.source.goToGap(event.key === "n" ? 1 : -1);
    }
  }

  setUpTheme() {
    const button = element("theme");
    // A panel has the theme of its editor.
    button.hidden = Boolean(this.editor);
    const set = (theme) => {
      document.documentElement.dataset.theme = theme;
      button.textContent = `Theme: ${theme}`;
      // Where nothing may be kept the choice is good for this page.
      try {
        localStorage.setItem("testlens-theme", theme);
      } catch {
        return;
      }
    };
    let kept = "auto";
    try {
      kept = localStorage.getItem("testlens-theme") ?? kept;
    } catch {
      kept = "auto";
    }
    set(this.editor || !THEMES.includes(kept) ? "auto" : kept);
    button.addEventListener("click", () => {
      const now = THEMES.indexOf(document.documentElement.dataset.theme ?? "auto");
      set(THEMES[(now + 1) % THEMES.length]);
    });
  }
}

async function begin() {
  element("without-script").hidden = true;
  try {
    const data = await new Data(JSON.parse(element("data").textContent ?? "")).open();
    new Page(data);
    document.documentElement.dataset.ready = "";
  } catch (error) {
    const trouble = element("trouble");
    trouble.hidden = false;
    trouble.textContent = `Map, search and sources cannot be shown, only plan and files: this browser may be too old (${error}).`;
  }
}

void begin();
