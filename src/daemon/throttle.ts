/** Runs something soon, but never twice within `apartMs`: what is asked for meanwhile runs once, afterwards. */
export class Throttle {
  readonly #apartMs: number;
  readonly #run: () => void;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #ranAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(apartMs: number, run: () => void) {
    this.#apartMs = apartMs;
    this.#run = run;
  }

  /** Asks for a run in `ms` (0 or less: now); the earliest of several holds. */
  at(ms: number): void {
    if (this.#stopped) return;
    const now = performance.now();
    const due = Math.max(now + ms, this.#ranAt + this.#apartMs);
    if (due >= this.#dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = due;
    if (due <= now) this.#fire();
    // Timers may fire a millisecond early, and what is waited for is then not yet due.
    else
      this.#timer = setTimeout(
        () => {
          this.#fire();
        },
        Math.ceil(due - now) + 1,
      );
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #fire(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.#ranAt = performance.now();
    this.#run();
  }
}
