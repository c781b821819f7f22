import { randomBytes } from 'node:crypto';
import type { Action, CleanReport, Report, Trigger } from '../model.ts';
import { systemClock, timestamp, type Clock } from './clock.ts';
import type { Confirmation } from './confirm.ts';
import { DeadTree, type Confirmed } from './dead-tree.ts';
import type { CleanupDeps } from './deps.ts';
import { lockCleanup } from './lock.ts';
import { checkBlastRadius } from './plan.ts';
import { CleanupRecord } from './record.ts';
import { releaseContainers } from './release.ts';
import { terminate } from './terminate.ts';
import { verify } from './verify.ts';

/** What two looks agreed on, and who asked for it. */
export interface ActOptions {
  trigger: Trigger;
  confirmations: readonly Confirmation[];
  /** The report that confirmed them. */
  second: Report;
  /** The report to show as the scan before; the second by default. */
  scan?: Report | undefined;
  ports?: readonly number[] | undefined;
  /** Least time between two looks at what comes up in a container during the clean-up. */
  confirmAfterMs: number;
  force?: boolean | undefined;
  /** Names the clean-up in journal and report; made by default. */
  id?: string | undefined;
}

const KILL_TIMEOUT_MS = 10_000;
const MAX_ROUNDS = 50;

/** Ends what was confirmed, under the lock: for the daemon, whose first look came with an earlier sweep. Throws CleanupRefusedError; the pidfds stay the caller's. */
export async function actOn(deps: CleanupDeps, options: ActOptions): Promise<CleanReport> {
  const lock = options.confirmations.some(isConfirmed) ? lockCleanup(deps.stateDirectory) : undefined;
  try {
    return await actLocked(deps, options);
  } finally {
    lock?.release();
  }
}

/** The same for a caller who has the lock. */
export async function actLocked(deps: CleanupDeps, options: ActOptions): Promise<CleanReport> {
  const clock = deps.clock ?? systemClock;
  const { trigger, second, scan = second, ports } = options;
  const id = options.id ?? cleanupId(clock);
  const confirmed = options.confirmations.filter(isConfirmed);
  // What is too early to say is no part of this clean-up.
  const settled = options.confirmations.filter(({ state }) => state !== 'early');
  const targets = settled.map(({ target }) => target);
  const others = settled.flatMap((each) => (isConfirmed(each) ? [] : toAction(each)));
  if (confirmed.length === 0) {
    const verified = verify({ before: scan, after: second, targets, ports, ms: 0 });
    return { id, trigger, dryRun: false, scan, actions: others, ...verified };
  }
  const tree = new DeadTree({ proc: deps.proc, clock, report: second, confirmed });
  const record = new CleanupRecord({
    directory: deps.stateDirectory,
    maxBytes: deps.journalMaxBytes,
    clock,
    id,
    onFailure: (detail) => deps.onProgress?.({ kind: 'journal-failed', detail }),
  });
  const actions = (): Action[] => [...tree.actions(), ...others];
  try {
    const began = clock.monotonic();
    const after = await end(tree, deps, options, record);
    const ms = Math.round(clock.monotonic() - began);
    const verified = verify({ before: scan, after, targets, ports, ms });
    const ok = verified.ok && !tree.hasSurvivors();
    const report = { id, trigger, dryRun: false, scan, actions: actions(), ...verified, ok };
    record.outcome({ ...report, error: null });
    deps.onProgress?.({ kind: 'verified', ports: report.ports, ok });
    return report;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    record.outcome({ ok: false, actions: actions(), ports: [], error: message });
    throw error;
  } finally {
    tree.close();
    record.close();
  }
}

/** Sortable, and safe in a URL: `20260102T101112Z-3f9a1c`. */
export function cleanupId(clock: Clock): string {
  return `${timestamp(clock).replace(/\.\d+|[-:]/g, '')}-${randomBytes(3).toString('hex')}`;
}

function end(tree: DeadTree, deps: CleanupDeps, options: ActOptions, record: CleanupRecord): Promise<Report> {
  const { ports, second, trigger, force } = options;
  const look = (): Promise<Report> => deps.look(ports === undefined ? {} : { ports });
  return terminate(tree, {
    look,
    onReady: (forks) => {
      // Now that all of them are known, and none was signalled.
      const targets = tree.targets();
      checkBlastRadius([...targets, ...forks], deps.maxTargets, force === true);
      record.intent(deps.proc, { trigger, report: second, targets });
      record.adopted(forks);
    },
    release: () => releaseContainers(tree, deps, look),
    gracePeriodMs: deps.gracePeriodMs,
    killTimeoutMs: deps.killTimeoutMs ?? KILL_TIMEOUT_MS,
    maxRounds: deps.maxRounds ?? MAX_ROUNDS,
    confirmAfterMs: options.confirmAfterMs,
    onAdopt: (members) => {
      record.adopted(members);
    },
    onProgress: (progress) => deps.onProgress?.(progress),
  });
}

function isConfirmed(confirmation: Confirmation): confirmation is Confirmed {
  return confirmation.state === 'confirmed';
}

function toAction({ state, target, detail }: Exclude<Confirmation, Confirmed>): Action {
  return {
    pid: target.identity.pid,
    startTime: target.identity.startTime,
    comm: target.comm,
    verdict: target.verdict,
    reason: target.reason,
    ports: target.ports,
    steps: [],
    outcome: state === 'gone' ? 'gone' : 'refused',
    detail,
    ms: 0,
  };
}
