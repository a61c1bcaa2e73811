// The map: every file as an area in its folder, its colour being its risk.

import { counted } from "./source.mjs";
import { squarify } from "./squarify.mjs";

const HEAD = 17;
const GAP = 2;
const SMALLEST_FOLDER = 46;
const SMALLEST_LABEL = 34;
const LARGE = { width: 170, height: 90 };
const FROM_RISK = [20, 35, 50, 60, 80];
const FEW = 3;

/** @typedef {{ name: string, size: number, place: number, children: Map<string, Node> }} Node */

/**
 * The folders of files as a tree; a folder with nothing but one folder in it is one with that.
 * @param {readonly { path: string, statements: number }[]} files
 * @returns {Node}
 */
export function tree(files) {
  const root = { name: "", size: 0, place: -1, children: new Map() };
  files.forEach((file, place) => {
    // What has no statement has an area all the same: it is there.
    const size = Math.max(1, file.statements);
    let node = root;
    node.size += size;
    for (const name of file.path.split("/")) {
      if (!node.children.has(name)) node.children.set(name, { name, size: 0, place: -1, children: new Map() });
      node = node.children.get(name);
      node.size += size;
    }
    node.place = place;
  });
  return shortened(root);
}

/** @param {Node} node */
function shortened(node) {
  const children = new Map([...node.children].map(([name, child]) => [name, shortened(child)]));
  const [only] = children.values();
  if (children.size === 1 && only.place < 0) return { ...only, name: node.name ? `${node.name}/${only.name}` : only.name };
  return { ...node, children };
}

/**
 * The step of the scale of colours for a file: 0 where it has no gap.
 * @param {{ risk: number, gaps: number }} file
 */
export function step({ risk, gaps }) {
  return gaps ? 1 + FROM_RISK.filter((from) => risk >= from).length : 0;
}

export class RiskMap {
  /**
   * @param {HTMLElement} element
   * @param {import("./data.mjs").FileRow[]} files
   * @param {(file: { path: string }, line?: number) => string} link
   */
  constructor(element, files, link) {
    this.element = element;
    this.files = files;
    this.link = link;
    this.root = tree(files);
    element.classList.toggle("few", files.length <= FEW);
    /** @type {{ element: HTMLAnchorElement, box: import("./squarify.mjs").Box }[]} */
    this.tiles = [];
    element.addEventListener("keydown", (event) => this.move(event));
    // At once, so that a page which says that it is ready has its map: an observer calls some frames later.
    this.draw();
    new ResizeObserver(() => this.draw()).observe(element);
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.element;
    const isHidden = !width || !height;
    if (isHidden || (width === this.width && height === this.height)) return;
    Object.assign(this, { width, height });
    this.tiles = [];
    const parts = document.createDocumentFragment();
    this.addFolder(this.root, { x: 0, y: 0, width, height }, parts, true);
    this.element.replaceChildren(parts);
    if (this.tiles.length) this.tiles[0].element.tabIndex = 0;
  }

  addFolder(folder, box, parts, isRoot) {
    const inner = isRoot ? box : this.addHead(folder, box, parts);
    const nodes = [...folder.children.values()].sort((one, other) => other.size - one.size);
    const boxes = squarify(nodes.map((node) => node.size), inner);
    nodes.forEach((node, index) => {
      if (node.place < 0) this.addFolder(node, boxes[index], parts, false);
      else this.addTile(node, boxes[index], parts);
    });
  }

  /** The head of a folder, where there is room for one; what is left of its box. */
  addHead(folder, box, parts) {
    if (box.width < SMALLEST_FOLDER || box.height < SMALLEST_FOLDER) return box;
    const head = document.createElement("span");
    head.className = "folder";
    head.textContent = folder.name;
    head.ariaHidden = "true";
    this.put(head, { ...box, height: HEAD });
    parts.append(head);
    return { x: box.x + GAP / 2, y: box.y + HEAD, width: Math.max(0, box.width - GAP), height: Math.max(0, box.height - HEAD - GAP / 2) };
  }

  addTile(node, box, parts) {
    const file = this.files[node.place];
    const tile = document.createElement("a");
    tile.href = this.link(file);
    tile.className = `tile r${step(file)}`;
    tile.tabIndex = -1;
    const numbers = file.gaps ? `risk ${file.risk} · ${file.percent} %` : `${file.percent} %`;
    // What can be read on the area is part of its name: people say it to their machines.
    const words = `${file.path} ${numbers} covered, ${counted(file.statements, "statement")}, ${counted(file.gaps, "gap")}`;
    tile.ariaLabel = words;
    tile.title = words;
    const shown = { x: box.x + GAP / 2, y: box.y + GAP / 2, width: Math.max(1, box.width - GAP), height: Math.max(1, box.height - GAP) };
    this.put(tile, shown);
    if (shown.width >= LARGE.width && shown.height >= LARGE.height) tile.classList.add("large");
    if (shown.width >= SMALLEST_LABEL && shown.height >= 18) {
      const name = document.createElement("span");
      name.textContent = node.name;
      tile.append(name);
      if (shown.height >= SMALLEST_LABEL) {
        const small = document.createElement("small");
        small.textContent = numbers;
        tile.append(" ", small);
      }
    }
    this.tiles.push({ element: tile, box: shown });
    parts.append(tile);
  }

  /** In parts of the whole, since on paper it has another width. */
  put(element, { x, y, width, height }) {
    const across = (length) => `${(100 * length) / this.width}%`;
    const down = (length) => `${(100 * length) / this.height}%`;
    Object.assign(element.style, { left: across(x), top: down(y), width: across(width), height: down(height) });
  }

  /** Arrow keys go to the nearest file in their direction. */
  move(event) {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    const current = this.tiles.find(({ element }) => element === document.activeElement);
    if (!current || (!dx && !dy)) return;
    event.preventDefault();
    const [x, y] = middle(current.box);
    let best;
    for (const tile of this.tiles) {
      const [toX, toY] = middle(tile.box);
      const ahead = (toX - x) * dx + (toY - y) * dy;
      const aside = Math.abs((toX - x) * dy) + Math.abs((toY - y) * dx);
      const distance = ahead + 2 * aside;
      if (tile !== current && ahead > aside / 4 && ahead > 1 && (!best || distance < best.distance)) best = { tile, distance };
    }
    if (!best) return;
    current.element.tabIndex = -1;
    best.tile.element.tabIndex = 0;
    best.tile.element.focus();
  }
}

function middle({ x, y, width, height }) {
  return [x + width / 2, y + height / 2];
}

