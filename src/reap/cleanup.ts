import type { Action, CleanReport, Outcome, Report, Target, Trigger } from '../model.ts';
import { actLocked, cleanupId } from './act.ts';
import { sleepUntil, systemClock } from './clock.ts';
import { confirm, type Confirmation } from './confirm.ts';
import type { CleanupDeps } from './deps.ts';
import { FirstLook } from './first-look.ts';
import { openJournal } from './journal.ts';
import { lockCleanup } from './lock.ts';
import { checkBlastRadius, planTargets } from './plan.ts';
import { CleanupRefusedError } from './refusal.ts';
import { verify } from './verify.ts';

/** What one call is to do. */
export interface CleanupOptions {
  trigger: Trigger;
  /** One look and the plan: no signal, no lock, no journal. */
  dryRun: boolean;
  suspects: boolean;
  ports?: readonly number[] | undefined;
  confirmAfterMs: number;
  force: boolean;
  /** Gives up the wait for the second look; later it is too late, and the clean-up finishes. */
  signal?: AbortSignal | undefined;
  /** Names the clean-up in journal and report; made by default. */
  id?: string | undefined;
}

/** The whole sequence in one call: look, plan, look again, end, verify. Throws CleanupRefusedError, with the report of the first look. */
export async function cleanup(deps: CleanupDeps, options: CleanupOptions): Promise<CleanReport> {
  const { ports } = options;
  const scan = await deps.look(ports === undefined ? {} : { ports });
  const targets = planTargets(scan, options);
  if (options.dryRun || targets.length === 0) return withoutActing(deps, options, scan, targets);
  try {
    return await lookAgainAndAct(deps, options, scan, targets);
  } catch (error) {
    if (error instanceof CleanupRefusedError) error.report ??= scan;
    throw error;
  }
}

async function lookAgainAndAct(
  deps: CleanupDeps,
  options: CleanupOptions,
  scan: Report,
  targets: readonly Target[],
): Promise<CleanReport> {
  const clock = deps.clock ?? systemClock;
  const { trigger, ports, confirmAfterMs, force, signal, id } = options;
  // What would be refused in the end is refused before the wait.
  checkBlastRadius(targets, deps.maxTargets, force);
  const lock = lockCleanup(deps.stateDirectory);
  const first = new FirstLook({ proc: deps.proc, clock, openPidFd: deps.openPidFd });
  try {
    openJournal(deps.stateDirectory, { maxBytes: deps.journalMaxBytes }).close();
    first.observe(scan, targets);
    let second = scan;
    let confirmations: Confirmation[] | undefined;
    if (first.sights().some(({ state }) => state === 'held')) {
      deps.onProgress?.({ kind: 'second-look-wait', targets: [...targets], ms: confirmAfterMs });
      if (await sleepUntil(clock, clock.monotonic() + confirmAfterMs, signal)) {
        const now = clock.monotonic();
        second = await deps.look(ports === undefined ? {} : { ports });
        if (signal?.aborted !== true) confirmations = confirm(first, second, { confirmAfterMs, now });
      }
      confirmations ??= targets.map((target) => ({
        state: 'refused',
        target,
        detail: 'interrupted before the second look: nothing was signalled',
      }));
    } else {
      confirmations = confirm(first, second, { confirmAfterMs, now: clock.monotonic() });
    }
    return await actLocked(deps, { trigger, confirmations, second, scan, ports, confirmAfterMs, force, id });
  } finally {
    first.close();
    lock.release();
  }
}

function withoutActing(
  deps: CleanupDeps,
  { trigger, dryRun, ports, id = cleanupId(deps.clock ?? systemClock) }: CleanupOptions,
  scan: Report,
  targets: readonly Target[],
): CleanReport {
  const verified = verify({ before: scan, after: scan, targets, ports, ms: 0 });
  const actions = targets.map((target) => planned(target));
  return { id, trigger, dryRun, scan, actions, ...verified };
}

function planned({ identity, comm, verdict, reason, ports }: Target): Action {
  const outcome: Outcome = 'planned';
  const { pid, startTime } = identity;
  return { pid, startTime, comm, verdict, reason, ports, steps: [], outcome, detail: null, ms: 0 };
}
