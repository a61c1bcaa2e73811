/** How often a server that stops by itself is started again: five times in three minutes, then no more. */

const LIMIT = 5;
const WINDOW_MS = 3 * 60 * 1000;

export class RestartPolicy {
  private restarts: number[] = [];

  /** Whether to restart at `now` (milliseconds); if so, the restart is counted. */
  mayRestart(now: number): boolean {
    this.restarts = this.restarts.filter((time) => now - time < WINDOW_MS);
    if (this.restarts.length >= LIMIT) {
      return false;
    }
    this.restarts.push(now);
    return true;
  }
}
