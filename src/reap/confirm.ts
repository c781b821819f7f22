import type { PidFd } from '../linux/pidfd.ts';
import type { Report, Target } from '../model.ts';
import type { FirstLook, FirstSight } from './first-look.ts';
import { planTargets } from './plan.ts';

/** What two looks together say of one target. */
export type Confirmation =
  | {
      state: 'confirmed';
      /** As the second look describes it: the reason may have changed. */
      target: Target;
      pidfd: PidFd;
    }
  /** Still the same, but the looks are less than `confirmAfterMs` apart: wait for another. */
  | { state: 'early'; target: Target; detail: string }
  | { state: 'gone'; target: Target; detail: string }
  | { state: 'refused'; target: Target; detail: string };

export interface ConfirmOptions {
  /** Least time between the looks, in ms. */
  confirmAfterMs: number | ((target: Target) => number);
  /** Monotonic ms when the second look began. */
  now: number;
}

/** Compares the first look with a second report: only the same process with the same verdict is confirmed. */
export function confirm(first: FirstLook, second: Report, options: ConfirmOptions): Confirmation[] {
  const planned = new Map(
    planTargets(second, { suspects: true }).map((target) => [target.identity.pid, target]),
  );
  return first.sights().map((sight) => confirmOne(sight, second, planned, options));
}

function confirmOne(
  sight: FirstSight,
  second: Report,
  planned: ReadonlyMap<number, Target>,
  { confirmAfterMs, now }: ConfirmOptions,
): Confirmation {
  const { target } = sight;
  if (sight.state === 'gone') return { state: 'gone', target, detail: 'exited before it could be held' };
  if (sight.state === 'refused') return { state: 'refused', target, detail: sight.detail };
  // Asked after the second look: while the pidfd's process lives, whatever that look read under the pid is about it.
  if (sight.pidfd.hasExited()) return { state: 'gone', target, detail: 'exited between the looks' };

  const again = planned.get(target.identity.pid);
  const difference = changed(target, second, again);
  if (again === undefined || difference !== undefined) {
    return { state: 'refused', target, detail: difference ?? 'no longer in scope' };
  }
  if (sight.young) {
    return { state: 'refused', target, detail: 'younger than the first look: look again' };
  }
  const least = typeof confirmAfterMs === 'number' ? confirmAfterMs : confirmAfterMs(again);
  const apart = now - sight.seenAt;
  if (apart < least) {
    return {
      state: 'early',
      target,
      detail: `the looks are ${Math.floor(apart)} ms apart, less than ${least} ms`,
    };
  }
  return { state: 'confirmed', target: { ...again, identity: target.identity }, pidfd: sight.pidfd };
}

function changed(target: Target, second: Report, again: Target | undefined): string | undefined {
  const { pid, startTime, bootId } = target.identity;
  const process = second.processes.find((each) => each.pid === pid);
  if (second.bootId !== bootId) return 'the host was booted between the looks';
  if (process === undefined) return 'the second look does not list it any more';
  if (process.startTime !== startTime) return `the second look shows another process as ${pid}`;
  if (process.verdict !== target.verdict) {
    return `verdict changed from ${target.verdict} to ${process.verdict}: ${process.cause}`;
  }
  return again === undefined ? 'no longer in scope' : undefined;
}
