import { PidFdUnavailableError, type PidFd, type Signal } from '../linux/pidfd.ts';
import type { Action, Report, Target } from '../model.ts';
import { quietly } from '../container/quietly.ts';
import { readCgroup } from '../procfs/cgroup.ts';
import type { ProcFs } from '../procfs/fs.ts';
import { timestamp, type Clock } from './clock.ts';
import type { Confirmation } from './confirm.ts';
import { toAction, wasKilled, type Member } from './member.ts';

/** Every process that a clean-up may signal, each held by its own pidfd: the confirmed targets, and what comes out of them. */
export class DeadTree {
  readonly proc: ProcFs;
  readonly clock: Clock;
  /** The last look: what it calls alive is never taken in. */
  report: Report;
  readonly #members: Member[] = [];
  readonly #owned = new Set<PidFd>();
  readonly #beganAt: number;

  constructor(options: { proc: ProcFs; clock: Clock; report: Report; confirmed: readonly Confirmed[] }) {
    this.proc = options.proc;
    this.clock = options.clock;
    this.report = options.report;
    this.#beganAt = options.clock.monotonic();
    for (const { target, pidfd } of options.confirmed) {
      const { pid, startTime } = target.identity;
      this.#add({ ...blank(target), pid, startTime, origin: 'target', foundUnder: pid, pidfd });
    }
  }

  /** Takes in one more process. The tree closes its pidfd. */
  adopt(
    member: Pick<
      Member,
      'pid' | 'startTime' | 'comm' | 'cmdline' | 'target' | 'origin' | 'foundUnder' | 'pidfd'
    >,
  ): Member {
    this.#owned.add(member.pidfd);
    return this.#add({ ...blank(member.target), ...member });
  }

  /** Members that run and may be signalled. */
  alive(): Member[] {
    return this.#members.filter((member) => member.refused === undefined && !this.hasExited(member));
  }

  /** The running member with this pid, refused ones too. */
  holder(pid: number): Member | undefined {
    return this.#members.find((member) => member.pid === pid && !this.hasExited(member));
  }

  hasExited(member: Member): boolean {
    if (member.exitedAt !== undefined) return true;
    if (!member.pidfd.hasExited()) return false;
    member.exitedAt = this.clock.monotonic();
    // Thousands of forks may come and go: a descriptor each, only while they live.
    if (this.#owned.delete(member.pidfd)) member.pidfd.close();
    return true;
  }

  targets(): Target[] {
    return this.#members.filter(({ origin }) => origin === 'target').map(({ target }) => target);
  }

  /** Sends one signal through the pidfd; SIGSTOP and SIGCONT are means, not steps. */
  send(member: Member, signal: Signal): void {
    switch (this.#trySend(member, signal)) {
      case 'sent':
        if (signal === 'SIGSTOP') member.stopped = true;
        else if (signal === 'SIGCONT') member.stopped = false;
        else this.note(member, signal);
        break;
      case 'denied':
        member.refused = {
          why: 'denied',
          detail: `EPERM: ${signal} to a process of uid ${member.target.uid} needs root or CAP_KILL`,
        };
        break;
      case 'gone':
        break;
    }
  }

  /** Records a step that was done to a member, each kind once. */
  note(member: Member, signal: string): void {
    if (member.steps.some((step) => step.signal === signal)) return;
    member.steps.push({ at: timestamp(this.clock), signal });
  }

  /** Compares with a fresh look: what it calls anything else than at the second look is left alone from here on. */
  judge(report: Report): void {
    this.report = report;
    for (const member of this.alive()) {
      // What has its SIGKILL dies, whatever half of it is still to be seen.
      if (wasKilled(member)) continue;
      const process = report.processes.find(
        ({ pid, startTime }) => pid === member.pid && startTime === member.startTime,
      );
      if (process === undefined || isAsBad(process.verdict, member.target.verdict)) continue;
      const detail = `verdict changed from ${member.target.verdict} to ${process.verdict} during the clean-up: ${process.cause}`;
      member.refused = { why: 'verdict', detail };
      if (member.stopped) this.send(member, 'SIGCONT');
    }
  }

  /** Waits until every member that may be signalled has exited; false when `ms` passed first. */
  async settled(ms: number): Promise<boolean> {
    const due = this.clock.monotonic() + ms;
    for (let pauseMs = 1; this.alive().length > 0; pauseMs = Math.min(pauseMs * 2, 50)) {
      const left = due - this.clock.monotonic();
      if (left <= 0) return false;
      await this.clock.sleep(Math.min(pauseMs, left));
    }
    return true;
  }

  /** Whether something that ought to have ended still runs. */
  hasSurvivors(): boolean {
    return this.#members.some((member) => !this.hasExited(member) && member.refused?.why !== 'verdict');
  }

  /** What was done so far: every target, and of the others those that were signalled or are left. */
  actions(): Action[] {
    const now = this.clock.monotonic();
    return this.#members
      .filter((member) => !this.hasExited(member) || member.origin === 'target' || member.steps.length > 0)
      .map((member) => toAction(member, this.#beganAt, now));
  }

  close(): void {
    // Nothing may stay stopped that was not ended.
    for (const member of this.#members)
      if (member.stopped && !this.hasExited(member)) this.send(member, 'SIGCONT');
    for (const pidfd of this.#owned) pidfd.close();
  }

  #add(member: Member): Member {
    // Read with the pidfd open, as everything that is known of it.
    const added = { ...member, cgroup: quietly(() => readCgroup(this.proc, member.pid)) };
    this.#members.push(added);
    return added;
  }

  #trySend(member: Member, signal: Signal): 'sent' | 'gone' | 'denied' {
    try {
      return member.pidfd.send(signal);
    } catch (error) {
      if (!(error instanceof PidFdUnavailableError)) throw error;
      member.refused = { why: 'denied', detail: error.message };
      return 'gone';
    }
  }
}

export type Confirmed = Extract<Confirmation, { state: 'confirmed' }>;

function blank(target: Target) {
  const { comm, cmdline } = target;
  return {
    comm,
    cmdline,
    target,
    cgroup: undefined,
    steps: [],
    refused: undefined,
    stopped: false,
    exitedAt: undefined,
  };
}

/** Whether a fresh verdict still allows what the confirmed one did: a suspect may have become an orphan (its runtime let go of it). */
function isAsBad(fresh: Report['processes'][number]['verdict'], confirmed: Target['verdict']): boolean {
  return fresh === confirmed || (fresh === 'orphan' && confirmed === 'suspect');
}
