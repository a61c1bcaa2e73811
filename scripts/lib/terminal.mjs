/** What the set-up says: one line when a step starts, one when it ends, and errors that name the next thing to do. */

const COLOURED = process.stderr.isTTY && !process.env.NO_COLOR;

/** A failure the user can act on: printed without a stack trace. */
export class SetupError extends Error {
  /**
   * @param {string} message what happened, and where
   * @param {string} [advice] what to do next
   */
  constructor(message, advice) {
    super(message);
    this.advice = advice;
  }
}

function paint(code, text) {
  return COLOURED ? `\u001b[${code}m${text}\u001b[0m` : text;
}

/** Print a line for people. Standard error, so that standard output stays for results. */
export function say(text = "") {
  process.stderr.write(`${text}\n`);
}

export function heading(text) {
  say(`\n${paint("1", text)}`);
}

/**
 * Run one step of the set-up between its two lines.
 * @param {string} title
 * @param {() => Promise<string | void>} action returns a remark for the closing line, "up to date" for example
 */
export async function step(title, action) {
  say(`${paint("36", "…")} ${title}`);
  const started = Date.now();
  const remark = await action();
  say(`${paint("32", "✓")} ${title}: ${remark ?? `done in ${Math.ceil((Date.now() - started) / 1000)} s`}`);
}

/** Print an error and what to do about it. */
export function complain(error) {
  if (!(error instanceof SetupError)) {
    say(error.stack ?? String(error));
    return;
  }
  say(`${paint("31", "✗")} ${error.message}`);
  if (error.advice) say(`  ${error.advice}`);
}

/** Run a script's main function: its result is the exit code, and a failure is explained. */
export async function main(action) {
  try {
    process.exitCode = await action();
  } catch (error) {
    complain(error);
    process.exitCode = 1;
  }
}
