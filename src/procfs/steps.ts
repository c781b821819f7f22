/** Long work in pieces: yields wherever something else may have a turn. */
export type Steps<T> = Generator<void, T, void>;

/** Does all of it at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Does it in slices of about `sliceMs`, with the event loop's turn in between. */
export async function inTurns<T>(steps: Steps<T>, sliceMs: number): Promise<T> {
  for (;;) {
    // Not performance.now(): it loads perf_hooks, 2 ms of a command's start.
    const due = process.hrtime.bigint() + BigInt(Math.round(sliceMs * 1e6));
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (process.hrtime.bigint() < due);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
