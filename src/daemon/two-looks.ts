import type { CleanSettings } from '../config/config.ts';
import type { Target } from '../model.ts';
import type { ProcFs } from '../procfs/fs.ts';
import type { Clock } from '../reap/clock.ts';
import { confirm, type Confirmation } from '../reap/confirm.ts';
import { FirstLook } from '../reap/first-look.ts';
import { planTargets } from '../reap/plan.ts';
import type { Swept } from './sweeper.ts';

/** What a sweep confirmed. The pidfds are the caller's to close. */
export type Confirmed = Extract<Confirmation, { state: 'confirmed' }>;

export interface Sighting {
  confirmed: Confirmed[];
  /** Seen for the first time. */
  first: Target[];
  /** Monotonic ms, when the next target can be confirmed; undefined without any. */
  dueAt: number | undefined;
}

const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;

/** The two looks of the daemon, spread over its sweeps: what the first one saw is remembered by pidfd until another confirms it. */
export class TwoLooks {
  readonly #proc: ProcFs;
  readonly #clock: Clock;
  #first: FirstLook;
  /** Targets that a clean-up could not end: tried again, but less and less often. */
  readonly #pauses = new Map<string, { until: number; ms: number }>();

  constructor({ proc, clock }: { proc: ProcFs; clock: Clock }) {
    this.#proc = proc;
    this.#clock = clock;
    this.#first = new FirstLook({ proc, clock });
  }

  /** Takes one sweep as the second look at what is known and as the first at what is new. */
  see({ report, whole, beganAt }: Swept, { clean, confirmAfterMs }: CleanSettings): Sighting {
    if (clean === 'off') {
      this.reset();
      return { confirmed: [], first: [], dueAt: undefined };
    }
    const before = new Set(this.#first.sights().map(({ target }) => keyOf(target)));
    const targets = planTargets(report, { suspects: clean === 'suspects' });
    this.#forgetPauses(targets);
    // What is not to be acted on (clean: orphans, and by now it is a suspect) stays unconfirmed.
    const wanted = new Set(targets.map(keyOf));
    // Before a signal everything is read once more.
    const seen = whole ? confirm(this.#first, report, { confirmAfterMs, now: beganAt }) : [];
    const confirmed = seen.filter(
      (each): each is Confirmed =>
        each.state === 'confirmed' && wanted.has(keyOf(each.target)) && !this.#isPaused(each.target),
    );
    for (const { target } of confirmed) this.#first.take(target);
    const taken = new Set(confirmed.map(({ target }) => keyOf(target)));
    this.#first.observe(
      report,
      targets.filter((target) => !taken.has(keyOf(target))),
    );
    const first = targets.filter((target) => !before.has(keyOf(target)) && !taken.has(keyOf(target)));
    return { confirmed, first, dueAt: this.#dueAt(confirmAfterMs) };
  }

  /** Records that a clean-up was over and these were not ended. */
  pause(targets: readonly Target[]): void {
    for (const target of targets) {
      const ms = Math.min((this.#pauses.get(keyOf(target))?.ms ?? FIRST_PAUSE_MS / 2) * 2, LONGEST_PAUSE_MS);
      this.#pauses.set(keyOf(target), { until: this.#clock.monotonic() + ms, ms });
    }
  }

  /** Forgets every first look: what is acted on next needs two new ones. */
  reset(): void {
    if (this.#first.sights().length === 0) return;
    this.#first.close();
    this.#first = new FirstLook({ proc: this.#proc, clock: this.#clock });
  }

  close(): void {
    this.#first.close();
  }

  #isPaused(target: Target): boolean {
    return (this.#pauses.get(keyOf(target))?.until ?? 0) > this.#clock.monotonic();
  }

  #forgetPauses(targets: readonly Target[]): void {
    const keys = new Set(targets.map(keyOf));
    for (const key of this.#pauses.keys()) if (!keys.has(key)) this.#pauses.delete(key);
  }

  #dueAt(confirmAfterMs: number): number | undefined {
    const now = this.#clock.monotonic();
    const times = this.#first.sights().flatMap((sight) => {
      if (sight.state !== 'held' || this.#isPaused(sight.target)) return [];
      // A young one is seen for the first time again by the next look, which may come at once.
      return [sight.young ? now : sight.seenAt + confirmAfterMs];
    });
    return times.length === 0 ? undefined : Math.min(...times);
  }
}

function keyOf({ identity }: Target): string {
  return `${identity.bootId} ${identity.pid} ${identity.startTime}`;
}
