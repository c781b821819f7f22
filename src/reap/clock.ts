import { setTimeout as delay } from 'node:timers/promises';

/** Time as the clean-up needs it; tests may bring their own. */
export interface Clock {
  /** Milliseconds since the epoch, for what people read. */
  now(): number;
  /** Milliseconds that no clock step moves: at boot the time jumps when it is first synchronised, and a wait must not shrink with it. */
  monotonic(): number;
  sleep(ms: number): Promise<void>;
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms) => delay(ms),
};

/** Waits until the monotonic clock shows `due`; false when `signal` aborted first. */
export async function sleepUntil(clock: Clock, due: number, signal?: AbortSignal): Promise<boolean> {
  for (;;) {
    if (signal?.aborted === true) return false;
    const left = due - clock.monotonic();
    if (left <= 0) return true;
    // Timers may fire up to a millisecond early, so the clock is asked again; short naps notice the abort.
    await clock.sleep(Math.min(left, signal === undefined ? left : 100));
  }
}

/** RFC 3339, UTC. */
export function timestamp(clock: Clock): string {
  return new Date(clock.now()).toISOString();
}
