// Areas that fill a rectangle, each as nearly square as possible: Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000).

/** @typedef {{ x: number, y: number, width: number, height: number }} Box */

/**
 * One box for each of `sizes`, which descend and are positive, side by side in `box`; areas are in proportion to the sizes.
 * @param {readonly number[]} sizes
 * @param {Box} box
 * @returns {Box[]}
 */
export function squarify(sizes, box) {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const scale = total > 0 ? (box.width * box.height) / total : 0;
  const areas = sizes.map((size) => size * scale);
  /** @type {Box[]} */
  const boxes = [];
  let rest = box;
  let start = 0;
  while (start < areas.length) {
    const side = Math.min(rest.width, rest.height);
    let end = start + 1;
    let sum = areas[start];
    while (end < areas.length && worst(areas[start], areas[end], sum + areas[end], side) <= worst(areas[start], areas[end - 1], sum, side)) {
      sum += areas[end];
      end += 1;
    }
    rest = layOut(areas.slice(start, end), sum, rest, boxes);
    start = end;
  }
  return boxes;
}

/** The worst ratio of two sides in a row of areas from `largest` to `smallest`, together `sum`, along a `side`. */
function worst(largest, smallest, sum, side) {
  const square = side * side;
  return Math.max((square * largest) / (sum * sum), (sum * sum) / (square * smallest));
}

/** Puts a row along the shorter side of `box`; what is left of the box. */
function layOut(areas, sum, box, boxes) {
  const isUpright = box.width >= box.height;
  const side = isUpright ? box.height : box.width;
  const depth = side > 0 ? sum / side : 0;
  let offset = 0;
  for (const area of areas) {
    const length = depth > 0 ? area / depth : 0;
    boxes.push(
      isUpright
        ? { x: box.x, y: box.y + offset, width: depth, height: length }
        : { x: box.x + offset, y: box.y, width: length, height: depth },
    );
    offset += length;
  }
  return isUpright
    ? { ...box, x: box.x + depth, width: Math.max(0, box.width - depth) }
    : { ...box, y: box.y + depth, height: Math.max(0, box.height - depth) };
}
