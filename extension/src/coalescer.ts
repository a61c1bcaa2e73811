/** One task at a time: whatever is asked for while it runs becomes one further run. */

export class Coalescer {
  private current: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(private readonly task: () => Promise<void>) {}

  /** Resolves after a run that began at or after this call. Rejects with the error of that run. */
  request(): Promise<void> {
    if (this.next) {
      return this.next;
    }
    if (!this.current) {
      return this.run();
    }
    const run = (): Promise<void> => this.run();
    // Whether the current run succeeds is the business of those who asked for it.
    this.next = this.current.then(run, run);
    return this.next;
  }

  private run(): Promise<void> {
    this.next = undefined;
    this.current = this.task().finally(() => {
      this.current = undefined;
    });
    return this.current;
  }
}
