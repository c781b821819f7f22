import type { PidFd } from '../linux/pidfd.ts';
import type { Action, ActionStep, Outcome, Target } from '../model.ts';

/** A process of a dead tree, held by its pidfd: a target, or one that came out of a target. */
export interface Member {
  pid: number;
  startTime: number;
  comm: string;
  cmdline: string[];
  /** The target itself, or the one that this process descends from. */
  target: Target;
  origin: 'target' | 'fork' | 'newcomer';
  /** pid of the process that it was found under; its own for a target. */
  foundUnder: number;
  pidfd: PidFd;
  /** Text of /proc/PID/cgroup; undefined when it had gone. */
  cgroup: string | undefined;
  steps: ActionStep[];
  /** Set once nothing more may be sent to it. */
  refused: Refusal | undefined;
  /** SIGSTOP was sent, so that it forks no more before its SIGKILL. */
  stopped: boolean;
  /** Monotonic ms, when its exit was noticed; undefined while it runs. */
  exitedAt: number | undefined;
}

/** Why a member is left alone: it turned out alive, or orphand may not, or its supervisor could not go first. */
export interface Refusal {
  why: 'verdict' | 'denied' | 'supervisor';
  detail: string;
}

const fatal = new Set(['SIGKILL', 'cgroup.kill', 'freezer']);

/** Whether something that no process survives was sent. */
export function wasKilled(member: Member): boolean {
  return member.steps.some(({ signal }) => fatal.has(signal));
}

/** What became of it. */
export function outcomeOf(member: Member): Outcome {
  if (member.exitedAt === undefined) return member.refused === undefined ? 'survived' : 'refused';
  if (wasKilled(member)) return 'killed';
  return member.steps.length === 0 ? 'gone' : 'terminated';
}

/** The member as the report of the clean-up shows it; `beganAt` and `now` are monotonic ms. */
export function toAction(member: Member, beganAt: number, now: number): Action {
  const { target } = member;
  return {
    pid: member.pid,
    startTime: member.startTime,
    comm: member.comm,
    verdict: target.verdict,
    reason: target.reason,
    ports: member.origin === 'target' ? target.ports : [],
    steps: member.steps,
    outcome: outcomeOf(member),
    detail: detailOf(member),
    ms: Math.round((member.exitedAt ?? now) - beganAt),
  };
}

function detailOf(member: Member): string | null {
  switch (outcomeOf(member)) {
    case 'refused':
      return member.refused?.detail ?? null;
    case 'survived':
      return 'SIGKILL was sent and it has not exited: it waits in the kernel (state D), is frozen together with something that is alive, or keeps being replaced';
    case 'terminated':
    case 'killed':
    case 'gone':
    case 'planned':
      switch (member.origin) {
        case 'target':
          return null;
        case 'fork':
          return `child of ${member.foundUnder}`;
        case 'newcomer':
          return `came up in the container of ${member.foundUnder} during the clean-up`;
      }
  }
}
