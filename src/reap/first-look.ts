import { openPidFd, PidFdUnavailableError, type PidFd } from '../linux/pidfd.ts';
import type { Report, Target } from '../model.ts';
import type { ProcFs } from '../procfs/fs.ts';
import { readStat } from '../procfs/stat.ts';
import { systemClock, type Clock } from './clock.ts';
import { lookBeganAt } from './uptime.ts';

/** Opens a pidfd; undefined when the process has gone (linux/pidfd.ts). */
export type OpenPidFd = (pid: number) => PidFd | undefined;

/** What the first look knows of one target. */
export type FirstSight =
  | {
      state: 'held';
      target: Target;
      /** Open since the first look: proves that the pid was not reused. */
      pidfd: PidFd;
      /** Monotonic ms, after the look. */
      seenAt: number;
      /** Started within the look's own clock tick or later: its start time alone can't tell it from a reused pid. */
      young: boolean;
    }
  | { state: 'gone'; target: Target }
  | { state: 'refused'; target: Target; detail: string };

/**
 * The first of the two looks: every target with a pidfd that stays open until the second. One call of `clean` uses it
 * once; the daemon keeps it across sweeps. `close` gives every descriptor back.
 */
export class FirstLook {
  readonly #proc: ProcFs;
  readonly #clock: Clock;
  readonly #open: OpenPidFd;
  readonly #sights = new Map<number, FirstSight>();

  constructor(options: { proc: ProcFs; clock?: Clock | undefined; openPidFd?: OpenPidFd | undefined }) {
    this.#proc = options.proc;
    this.#clock = options.clock ?? systemClock;
    this.#open = options.openPidFd ?? openPidFd;
  }

  /** Remembers the targets of a report: known ones keep the time of their first sight, what is no target any more is forgotten. */
  observe(report: Report, targets: readonly Target[]): void {
    const began = lookBeganAt(this.#proc, report, this.#clock.now());
    const pids = new Set(targets.map(({ identity }) => identity.pid));
    for (const { target } of this.sights()) if (!pids.has(target.identity.pid)) this.forget(target);
    for (const target of targets) {
      if (this.#isKnown(target)) continue;
      this.forget(target);
      this.#sights.set(target.identity.pid, this.#see(target, began));
    }
  }

  sights(): FirstSight[] {
    return [...this.#sights.values()];
  }

  /** Gives up one target: after it was acted on, or when it is none any more. */
  forget(target: Target): void {
    const sight = this.#sights.get(target.identity.pid);
    if (sight?.state === 'held') sight.pidfd.close();
    this.#sights.delete(target.identity.pid);
  }

  /** Gives the open pidfd of one target to the caller, who closes it. */
  take(target: Target): PidFd | undefined {
    const sight = this.#sights.get(target.identity.pid);
    if (sight?.state !== 'held') return undefined;
    this.#sights.delete(target.identity.pid);
    return sight.pidfd;
  }

  close(): void {
    for (const { target } of this.sights()) this.forget(target);
  }

  #isKnown({ identity, verdict }: Target): boolean {
    const known = this.#sights.get(identity.pid);
    return (
      known?.state === 'held' &&
      !known.young &&
      !known.pidfd.hasExited() &&
      known.target.verdict === verdict &&
      known.target.identity.startTime === identity.startTime &&
      known.target.identity.bootId === identity.bootId
    );
  }

  #see(target: Target, began: number): FirstSight {
    const { pid, startTime } = target.identity;
    let pidfd: PidFd | undefined;
    try {
      pidfd = this.#open(pid);
    } catch (error) {
      if (!(error instanceof PidFdUnavailableError)) throw error;
      const detail = `pidfd_open: ${error.code}; without a pidfd a reused pid can't be told from the target, so nothing is signalled (needs Linux 5.3, allowed by seccomp)`;
      return { state: 'refused', target, detail };
    }
    // The start time is read with the pidfd open: from here on both are of the same process, or it has gone.
    if (pidfd === undefined || readStartTime(this.#proc, pid) !== startTime || pidfd.hasExited()) {
      pidfd?.close();
      return { state: 'gone', target };
    }
    const identity = { ...target.identity, pidfdInode: pidfd.inode };
    const young = !(startTime < began);
    return { state: 'held', target: { ...target, identity }, pidfd, seenAt: this.#clock.monotonic(), young };
  }
}

function readStartTime(proc: ProcFs, pid: number): number | undefined {
  return readStat(proc, pid)?.startTime;
}
