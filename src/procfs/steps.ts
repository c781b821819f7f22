/** Long work in pieces: yields wherever something else may have a turn. */
export type Steps<T> = Generator<void, T, void>;

/** Does all of it at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Lets long work keep the event loop for about `sliceMs` at a time; without that, until it is done. */
export class Turns {
  readonly #sliceNs: bigint | undefined;
  #due = 0n;

  constructor(sliceMs?: number) {
    this.#sliceNs = sliceMs === undefined ? undefined : BigInt(Math.round(sliceMs * 1e6));
    this.#begin();
  }

  /** Gives way to others once the slice is over. */
  async pass(): Promise<void> {
    if (!this.#isOver()) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#begin();
  }

  async run<T>(steps: Steps<T>): Promise<T> {
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      if (this.#isOver()) await this.pass();
    }
  }

  #begin(): void {
    // Not performance.now(): it loads perf_hooks, 2 ms of a command's start.
    if (this.#sliceNs !== undefined) this.#due = process.hrtime.bigint() + this.#sliceNs;
  }

  #isOver(): boolean {
    return this.#sliceNs !== undefined && process.hrtime.bigint() >= this.#due;
  }
}
