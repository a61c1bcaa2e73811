// Python in colours: as much as helps to read a line, and no more.

const WORDS =
  "False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield match case";
// A text that nobody has ended goes on to the end: of the file for long ones, of the line for others.
const LONG = ['"""', "'''"].map((quotes) => `${quotes}(?:\\\\[^]|[^\\\\])*?(?:${quotes}|(?![^]))`);
const SHORT = ['"', "'"].map((quote) => `${quote}(?:\\\\.|[^${quote}\\\\\\n])*${quote}?`);
const TOKEN = new RegExp(
  [
    "(?<comment>#.*)",
    `(?<string>(?:\\b[rbfutRBFUT]{1,2})?(?:${LONG.join("|")}|${SHORT.join("|")}))`,
    "(?<decorator>@(?<=^[ \\t]*@)[\\w.]+)",
    `(?<word>\\b(?:${WORDS.replaceAll(" ", "|")})\\b)`,
    "(?<number>\\b\\d[\\w.]*)",
  ].join("|"),
  "gm",
);

/**
 * The pieces of each line of a Python text, as `[kind, text]`; the kind of ordinary text is "".
 * @param {string[]} lines
 * @returns {[string, string][][]}
 */
export function highlight(lines) {
  const text = lines.join("\n");
  /** @type {[string, string][][]} */
  const found = [[]];
  const add = (kind, piece) => {
    const [head, ...others] = piece.split("\n");
    if (head) found.at(-1)?.push([kind, head]);
    for (const line of others) found.push(line ? [[kind, line]] : []);
  };
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    add("", text.slice(end, match.index));
    const [kind] = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined) ?? [""];
    add(kind, match[0]);
    end = match.index + match[0].length;
  }
  add("", text.slice(end));
  return found;
}
