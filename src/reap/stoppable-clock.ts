import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, systemClock } from './clock.ts';

/**
 * The clock of clean-ups: once `signal` aborts, every wait rejects with its reason. A clean-up that waits out a grace
 * period then ends with what it has done so far in the journal, instead of being killed half-way.
 */
export function stoppableClock(signal: AbortSignal): Clock {
  return {
    ...systemClock,
    async sleep(ms) {
      try {
        await delay(ms, undefined, { signal });
      } catch {
        throw signal.reason instanceof Error ? signal.reason : new Error('orphand was stopped');
      }
    },
  };
}
