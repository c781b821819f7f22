import type { Config } from '../config/config.ts';
import type { CleanupEntry, CleanupOptions, CleanupStart } from '../http/engine.ts';
import type { CleanReport, Trigger } from '../model.ts';
import type { ProcFs } from '../procfs/fs.ts';
import { actOn, cleanupId } from '../reap/act.ts';
import { cleanup } from '../reap/cleanup.ts';
import { systemClock } from '../reap/clock.ts';
import type { CleanupDeps } from '../reap/deps.ts';
import { lockCleanup } from '../reap/lock.ts';
import { CleanupRefusedError } from '../reap/refusal.ts';
import type { Look } from '../report/look.ts';
import { begun, failed, finished } from './cleanup-entry.ts';
import { JournalCache } from './journal-cache.ts';
import { type Log, targetFields } from './log.ts';
import { stoppableClock } from '../reap/stoppable-clock.ts';
import type { Swept } from './sweeper.ts';
import type { Confirmed } from './two-looks.ts';

export interface CleanupsOptions {
  proc: ProcFs;
  log: Log;
  /** As they are now: a reload changes both. */
  config: () => Config;
  look: () => Look;
  onChange: (entry: CleanupEntry, report: CleanReport | undefined) => void;
}

const ENTRIES_KEPT = 200;
// Each holds a whole scan.
const REPORTS_KEPT = 20;

/** The daemon's clean-ups: one at a time, by a sweep or on request, and what came of them and of everybody else's. */
export class Cleanups {
  readonly #options: CleanupsOptions;
  readonly #journal: JournalCache;
  readonly #entries = new Map<string, CleanupEntry>();
  readonly #reports = new Map<string, CleanReport>();
  /** `hurry` ends the wait between two looks, `abandon` every wait. */
  readonly #hurry = new AbortController();
  readonly #abandon = new AbortController();
  #running: { id: string; done: Promise<unknown> } | undefined;

  constructor(options: CleanupsOptions) {
    this.#options = options;
    this.#journal = new JournalCache(options.proc);
  }

  running(): string | undefined {
    return this.#running?.id;
  }

  /** Begins what a request asks for: a fresh scan under the rules of `orphand clean`, two looks included. */
  request({ dryRun, suspects, ports, by }: CleanupOptions): CleanupStart {
    if (this.#hurry.signal.aborted) return { started: false, reason: 'stopping' };
    if (this.#running !== undefined) return { started: false, reason: 'running', id: this.#running.id };
    const config = this.#options.config();
    if (!dryRun && isLocked(config.stateDirectory)) return { started: false, reason: 'locked' };
    const id = cleanupId(systemClock);
    this.#options.log.info({ cleanup: id, by, dryRun, suspects, ports: ports ?? 'all' }, 'cleanup requested');
    const done = this.#run(id, 'api', dryRun, () =>
      cleanup(this.#deps(id), {
        id,
        trigger: 'api',
        dryRun,
        suspects,
        ports,
        confirmAfterMs: config.clean.confirmAfterMs,
        force: false,
        signal: this.#hurry.signal,
      }),
    );
    return { started: true, id, done };
  }

  /** Ends what a sweep confirmed; undefined while another clean-up runs. Closes the pidfds. Rejects with what the clean-up threw. */
  act(confirmed: readonly Confirmed[], { report }: Swept): Promise<CleanReport> | undefined {
    if (this.#running !== undefined || this.#hurry.signal.aborted) {
      for (const { pidfd } of confirmed) pidfd.close();
      return undefined;
    }
    const id = cleanupId(systemClock);
    const { confirmAfterMs } = this.#options.config().sweep;
    for (const { target } of confirmed) {
      this.#options.log.warn({ cleanup: id, target: targetFields(target) }, 'ending process');
    }
    return this.#run(id, 'sweep', false, async () => {
      try {
        return await actOn(this.#deps(id), {
          id,
          trigger: 'sweep',
          confirmations: confirmed,
          second: report,
          confirmAfterMs,
        });
      } finally {
        for (const { pidfd } of confirmed) pidfd.close();
      }
    });
  }

  /** The newest, newest first, with those that only the journal knows. */
  list(limit: number): CleanupEntry[] {
    const onRecord = this.#journal.entries(this.#options.config().stateDirectory);
    const merged = new Map([...onRecord, ...this.#entries.values()].map((entry) => [entry.id, entry]));
    return [...merged.values()]
      .sort((a, b) => b.startedAt.localeCompare(a.startedAt))
      .slice(0, Math.max(0, limit));
  }

  get(id: string): { entry: CleanupEntry; report: CleanReport | undefined } | undefined {
    const entry =
      this.#entries.get(id) ??
      this.#journal.entries(this.#options.config().stateDirectory).find((each) => each.id === id);
    return entry === undefined ? undefined : { entry, report: this.#reports.get(id) };
  }

  /**
   * Begins no more. One that still waits for its second look gives up; one that has sent signals has `graceMs` to finish,
   * then it is abandoned with its outcome in the journal.
   */
  async stop(graceMs: number): Promise<void> {
    this.#hurry.abort();
    const running = this.#running?.done.catch(() => undefined);
    if (running === undefined) return;
    const timer = setTimeout(() => {
      this.#abandon.abort(new Error('orphand was stopped before the clean-up was over'));
    }, graceMs);
    await running;
    clearTimeout(timer);
  }

  #deps(id: string): CleanupDeps {
    const { config, look, proc, log } = this.#options;
    const { gracePeriodMs, maxTargets, stateDirectory } = config();
    return {
      look: look(),
      proc,
      gracePeriodMs,
      maxTargets,
      stateDirectory,
      clock: stoppableClock(this.#abandon.signal),
      onProgress: (progress) => {
        switch (progress.kind) {
          case 'signalled':
            log.info({ cleanup: id, signal: progress.signal, pids: progress.pids }, 'signal sent');
            break;
          case 'killed':
            log.warn({ cleanup: id, signal: 'SIGKILL', pids: progress.pids }, 'signal sent');
            break;
          case 'journal-failed':
            log.error({ cleanup: id, detail: progress.detail }, 'journal write failed');
            break;
          case 'second-look-wait':
          case 'released':
          case 'grace-wait':
          case 'verified':
            break;
        }
      },
    };
  }

  #run(
    id: string,
    trigger: Trigger,
    dryRun: boolean,
    work: () => Promise<CleanReport>,
  ): Promise<CleanReport> {
    const entry = begun({ id, trigger, dryRun, startedAt: new Date().toISOString() });
    const done = this.#finish(entry, work);
    this.#running = { id, done };
    this.#keep(entry, undefined);
    return done;
  }

  async #finish(entry: CleanupEntry, work: () => Promise<CleanReport>): Promise<CleanReport> {
    const { log } = this.#options;
    // So that whoever began it knows of it before it does something.
    await Promise.resolve();
    try {
      const report = await work();
      const over = finished(entry, new Date().toISOString(), report);
      this.#running = undefined;
      const level = report.ok || entry.dryRun ? 'info' : 'warn';
      const { outcomes, freed, ok } = over;
      log[level](
        { cleanup: entry.id, trigger: entry.trigger, dryRun: entry.dryRun, ok, outcomes, freed },
        'cleanup finished',
      );
      for (const action of report.actions) {
        if (action.outcome !== 'refused' && action.outcome !== 'survived') continue;
        const { pid, startTime, outcome, detail } = action;
        log.warn({ cleanup: entry.id, target: { pid, startTime }, outcome, detail }, 'process not ended');
      }
      this.#keep(over, report);
      return report;
    } catch (error) {
      this.#running = undefined;
      const fields = { cleanup: entry.id, trigger: entry.trigger };
      if (error instanceof CleanupRefusedError)
        log.warn({ ...fields, why: error.message }, 'cleanup refused');
      else log.error({ ...fields, err: error }, 'cleanup failed');
      this.#keep(failed(entry, new Date().toISOString(), error), undefined);
      throw error;
    }
  }

  #keep(entry: CleanupEntry, report: CleanReport | undefined): void {
    this.#entries.set(entry.id, entry);
    if (report !== undefined) this.#reports.set(entry.id, report);
    dropOldest(this.#entries, ENTRIES_KEPT);
    dropOldest(this.#reports, REPORTS_KEPT);
    this.#options.onChange(entry, report);
  }
}

function dropOldest(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}

/** Whether somebody else cleans up now. What is wrong with the lock otherwise, the clean-up itself reports. */
function isLocked(directory: string): boolean {
  try {
    lockCleanup(directory).release();
    return false;
  } catch (error) {
    return error instanceof CleanupRefusedError && error.code === 'locked';
  }
}
