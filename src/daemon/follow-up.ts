import { escape } from '../cli/escape.ts';
import type { Config } from '../config/config.ts';
import type { EngineEvent } from '../http/engine.ts';
import type { Report } from '../model.ts';
import type { ProcFs } from '../procfs/fs.ts';
import { systemClock } from '../reap/clock.ts';
import type { Cleanups } from './cleanups.ts';
import { findingsBetween } from './findings.ts';
import { type Log, targetFields } from './log.ts';
import { SupervisorWatch } from './supervisor-watch.ts';
import type { Sweeper, Swept } from './sweeper.ts';
import { Throttle } from './throttle.ts';
import { TwoLooks } from './two-looks.ts';

export interface FollowUpOptions {
  proc: ProcFs;
  log: Log;
  config: () => Config;
  sweeper: Sweeper;
  cleanups: Cleanups;
  emit: (event: EngineEvent) => void;
}

// A crash loop ends a supervisor many times a second; a sweep each would be all that this daemon does.
const DEATH_SWEEPS_APART_MS = 1_000;
const CONFIRM_SWEEPS_APART_MS = 250;

/** What follows from a sweep: findings are told, supervisors watched, and what two looks agree on is ended. */
export class FollowUp {
  readonly #options: FollowUpOptions;
  readonly #looks: TwoLooks;
  readonly #watch: SupervisorWatch;
  readonly #deaths: Throttle;
  readonly #confirmations: Throttle;
  #lastReport: Report | undefined;
  #stopped = false;

  constructor(options: FollowUpOptions) {
    const { proc, log, sweeper } = options;
    this.#options = options;
    this.#looks = new TwoLooks({ proc, clock: systemClock });
    this.#deaths = new Throttle(DEATH_SWEEPS_APART_MS, () => {
      sweeper.afresh('supervisor-death');
    });
    this.#confirmations = new Throttle(CONFIRM_SWEEPS_APART_MS, () => {
      sweeper.afresh('confirm');
    });
    this.#watch = new SupervisorWatch({
      proc,
      onDeath: (pid, comm) => {
        this.#supervisorDied(pid, comm);
      },
      onUnavailable: ({ code }) => {
        log.warn({ code }, 'supervisors cannot be watched, sweeps by schedule only');
      },
    });
  }

  follow(swept: Swept): void {
    if (this.#stopped) return;
    try {
      this.#tellFindings(swept.report);
      this.#watch.follow(swept.report);
      this.#lookTwice(swept);
    } catch (error) {
      // The report stands; what follows from it is tried again with the next.
      this.#options.log.error({ err: error }, 'sweep could not be followed up');
    }
  }

  /** Forgets first looks: what another configuration saw is not what the present one would. */
  reset(): void {
    this.#looks.reset();
  }

  /** Stops watching and looking; clean-ups go on. */
  stop(): void {
    this.#stopped = true;
    this.#deaths.stop();
    this.#confirmations.stop();
    this.#watch.close();
    this.#looks.close();
  }

  #tellFindings(report: Report): void {
    const { log, emit } = this.#options;
    for (const finding of findingsBetween(this.#lastReport, report)) {
      const { pid, startTime, comm, verdict, reason, ports, cause } = finding.process;
      const target = targetFields({
        identity: { bootId: report.bootId, pid, startTime },
        comm,
        verdict,
        reason,
        ports,
      });
      const level = finding.change === 'gone' || verdict === 'unknown' ? 'info' : 'warn';
      log[level]({ change: finding.change, target, cause }, 'finding');
      emit({ type: 'finding', finding });
    }
    this.#lastReport = report;
  }

  #lookTwice(swept: Swept): void {
    const { log, config, cleanups } = this.#options;
    const { confirmed, first, dueAt } = this.#looks.see(swept, config().sweep);
    for (const target of first) log.info({ target: targetFields(target) }, 'first look, to be confirmed');
    if (dueAt !== undefined) this.#confirmations.at(dueAt - systemClock.monotonic());
    if (confirmed.length === 0) return;
    const targets = confirmed.map(({ target }) => target);
    cleanups.act(confirmed, swept)?.then(
      ({ actions }) => {
        const left = actions.filter(({ outcome }) => outcome === 'refused' || outcome === 'survived');
        this.#looks.pause(targets.filter(({ identity }) => left.some(({ pid }) => pid === identity.pid)));
      },
      () => {
        this.#looks.pause(targets);
      },
    );
  }

  #supervisorDied(pid: number, comm: string | undefined): void {
    if (this.#stopped) return;
    if (comm !== undefined) {
      this.#options.log.info({ target: { pid, comm: escape(comm) } }, 'supervisor ended');
      this.#options.emit({ type: 'supervisor-death', pid, comm });
    }
    this.#deaths.at(0);
  }
}
