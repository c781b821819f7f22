import { PidFdUnavailableError, openPidFd, type PidFd } from '../linux/pidfd.ts';
import type { Report, ReportedProcess, Target } from '../model.ts';
import type { DeadTree } from './dead-tree.ts';
import type { Member } from './member.ts';
import { containerKey } from './plan.ts';

interface Candidate {
  pidfd: PidFd;
  startTime: number | undefined;
  /** Monotonic ms. */
  heldAt: number;
}

/**
 * Processes that came up in a dead container during the clean-up and are nobody's child any more. Each is held first and
 * judged by a look that began after that; where the container may have a second life, only `confirmAfterMs` later.
 */
export class Newcomers {
  readonly #tree: DeadTree;
  readonly #confirmAfterMs: number;
  readonly #candidates = new Map<number, Candidate>();
  readonly #containers = new Map<string, Target>();

  constructor(tree: DeadTree, confirmAfterMs: number) {
    this.#tree = tree;
    this.#confirmAfterMs = confirmAfterMs;
    for (const target of tree.targets()) {
      const key = containerKey(target.container);
      if (key !== undefined && target.verdict === 'orphan') this.#containers.set(key, target);
    }
  }

  /** Opens a pidfd on a process that the next look is to judge. */
  hold(pid: number, startTime?: number): void {
    if (this.#candidates.has(pid) || this.#tree.holder(pid) !== undefined) return;
    try {
      const pidfd = openPidFd(pid);
      if (pidfd !== undefined) {
        this.#candidates.set(pid, { pidfd, startTime, heldAt: this.#tree.clock.monotonic() });
      }
    } catch (error) {
      // Out of descriptors: it is found again by the next look.
      if (!(error instanceof PidFdUnavailableError)) throw error;
    }
  }

  /** Takes in what a look confirms among those held before it began, and holds what it finds new. */
  judge(report: Report): Member[] {
    const listed = new Map(report.processes.map((process) => [process.pid, process]));
    const adopted = [...this.#candidates].flatMap(
      ([pid, candidate]) => this.#judgeOne(pid, candidate, listed.get(pid)) ?? [],
    );
    for (const process of report.processes) {
      if (this.#parentTarget(process) !== undefined) this.hold(process.pid, process.startTime);
    }
    return adopted;
  }

  /** When the next candidate can be confirmed, monotonic ms; undefined without any. */
  dueAt(): number | undefined {
    const times = [...this.#candidates.values()].map(({ heldAt }) => heldAt + this.#confirmAfterMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  close(): void {
    for (const { pidfd } of this.#candidates.values()) pidfd.close();
    this.#candidates.clear();
  }

  #judgeOne(pid: number, candidate: Candidate, process: ReportedProcess | undefined): Member | undefined {
    const { pidfd, startTime, heldAt } = candidate;
    const target = process === undefined ? undefined : this.#parentTarget(process);
    const same = startTime === undefined || startTime === process?.startTime;
    // Asked last: the look was about the process that is held.
    if (process === undefined || target === undefined || !same || pidfd.hasExited()) {
      pidfd.close();
      this.#candidates.delete(pid);
      return undefined;
    }
    // A container that every runtime has forgotten starts nothing. One that is known may be on its way up.
    const gone = process.reason === 'container-gone' && target.reason === 'container-gone';
    if (!gone && this.#tree.clock.monotonic() - heldAt < this.#confirmAfterMs) return undefined;
    this.#candidates.delete(pid);
    const { comm, cmdline } = process;
    const foundUnder = target.identity.pid;
    return this.#tree.adopt({
      pid,
      startTime: process.startTime,
      comm,
      cmdline,
      target,
      origin: 'newcomer',
      foundUnder,
      pidfd,
    });
  }

  /** The target whose container a process is of, where the look calls it an orphan. */
  #parentTarget(process: ReportedProcess): Target | undefined {
    const key = containerKey(process.container);
    return process.verdict === 'orphan' && key !== undefined ? this.#containers.get(key) : undefined;
  }
}
