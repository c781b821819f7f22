/** How much each caller asked for: a limit on all requests that costs none of them a promise, as @fastify/rate-limit does. */
import { ProblemError } from './problem.ts';

const windowMs = 60_000;
// Over TCP from elsewhere a caller is an address, of which one host can have many: what is kept of them is bounded.
const mostCallers = 5_000;

/** Counts a request of a caller; throws ProblemError `rate-limited` beyond `max` in a minute. `now`: for tests, ms. */
export function createRequestLimit(
  max: number,
  now: () => number = () => performance.now(),
): (caller: string) => void {
  const windows = new Map<string, { begin: number; count: number }>();
  return (caller) => {
    const at = now();
    let window = windows.get(caller);
    if (window === undefined || at - window.begin >= windowMs) {
      // Anew at the end of the map, whose first is the oldest.
      windows.delete(caller);
      window = { begin: at, count: 0 };
      windows.set(caller, window);
      if (windows.size > mostCallers) forgetOldest(windows);
    }
    window.count += 1;
    if (window.count <= max) return;
    const seconds = Math.ceil((window.begin + windowMs - at) / 1000);
    throw new ProblemError('rate-limited', `More than ${max} requests in a minute; retry in ${seconds} s.`, {
      headers: { 'retry-after': String(seconds) },
    });
  };
}

function forgetOldest(windows: Map<string, unknown>): void {
  for (const caller of windows.keys()) {
    windows.delete(caller);
    return;
  }
}
