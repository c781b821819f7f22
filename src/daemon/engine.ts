import type { Config } from '../config/config.ts';
import type {
  CleanupEntry,
  CleanupOptions,
  CleanupStart,
  Engine,
  EngineEvent,
  Limit,
  Status,
  SweepRecord,
} from '../http/engine.ts';
import type { CleanReport, Report, WatchedPort } from '../model.ts';
import type { ProcFs } from '../procfs/fs.ts';
import { systemClock } from '../reap/clock.ts';
import { createLooker, type Look } from '../report/look.ts';
import { ScanMemory } from '../scan/scan-memory.ts';
import { readAbilities, type Abilities } from './abilities.ts';
import { Cleanups } from './cleanups.ts';
import { FollowUp } from './follow-up.ts';
import { healthOf, type Health } from './health.ts';
import { createHostInfo } from './host.ts';
import { limitsOf } from './limits.ts';
import type { Log } from './log.ts';
import { startSchedule, type Schedule } from './schedule.ts';
import { Sweeper } from './sweeper.ts';

export interface DaemonEngineOptions {
  config: Config;
  version: string;
  log: Log;
  proc?: ProcFs;
  /** For tests: how to look at the host. */
  createLook?: (config: Config) => Look;
}

/** What changes with a sweep or the configuration only, and is asked for more often. */
type Found = Pick<Status, 'summary' | 'ports' | 'unreadable' | 'privileged' | 'runtimes' | 'limits'>;

// A look asks runtimes, each of which has its own timeout: one that takes longer hangs.
const LONGEST_SWEEP_MS = 120_000;
const SWEEP_GRACE_MS = 2_000;
/** How long a look may keep those waiting who ask by HTTP. */
const SLICE_MS = 2;

/** The daemon without its sockets and signals: sweeps, clean-ups, and what is to be told about them. */
export class DaemonEngine implements Engine {
  readonly #options: DaemonEngineOptions;
  readonly #proc: ProcFs;
  readonly #startedAt = new Date();
  readonly #startedMono = systemClock.monotonic();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #memory: ScanMemory;
  readonly #sweeper: Sweeper;
  readonly #cleanups: Cleanups;
  readonly #followUp: FollowUp;
  readonly #host = createHostInfo();
  readonly #notes = new Map<string, Limit[]>();
  #config: Config;
  #abilities: Abilities;
  /** Of clean-ups: apart from the sweeps', which may run at the same time and remember what they saw. */
  #freshLook: Look;
  #schedule: Schedule | undefined;
  #found: Found | undefined;
  #stopping = false;

  constructor(options: DaemonEngineOptions) {
    const { config, log, proc = { root: '/proc' } } = options;
    this.#options = options;
    this.#config = config;
    this.#proc = proc;
    this.#abilities = readAbilities(proc, config.stateDirectory);
    const emit = this.#emit.bind(this);
    this.#memory = new ScanMemory(proc, () => systemClock.monotonic());
    this.#freshLook = this.#createLook(config);
    this.#sweeper = new Sweeper({
      look: this.#createLook(config, this.#memory),
      clock: systemClock,
      fullScanEvery: () => this.#config.sweep.fullScanEvery,
      onSweep: (record, swept) => {
        this.#found = undefined;
        this.#logSweep(record);
        emit({ type: 'sweep', sweep: record, report: swept?.report });
        if (swept !== undefined) this.#followUp.follow(swept);
      },
    });
    this.#cleanups = new Cleanups({
      proc,
      log,
      config: () => this.#config,
      look: () => this.#freshLook,
      onChange: (cleanup, report) => {
        emit({ type: 'cleanup', cleanup, report });
        // What it left, for whoever reads the last report.
        if (cleanup.state !== 'running' && !cleanup.dryRun) this.#sweeper.afresh('request');
      },
    });
    const { sweeper, cleanups } = { sweeper: this.#sweeper, cleanups: this.#cleanups };
    this.#followUp = new FollowUp({ proc, log, config: () => this.#config, sweeper, cleanups, emit });
  }

  /** Sweeps for the first time and from then on by schedule, which goes on when this rejects because the first one failed. */
  async start(): Promise<void> {
    this.#startSchedule();
    // The status can do without.
    await this.#host.refresh().catch(() => undefined);
    await this.#sweeper.run('start');
  }

  /** Works by another configuration from now on, and sweeps by it. */
  reload(config: Config): void {
    const scheduleChanged = config.sweep.schedule !== this.#config.sweep.schedule;
    this.#config = config;
    this.#abilities = readAbilities(this.#proc, config.stateDirectory);
    this.#found = undefined;
    this.#freshLook = this.#createLook(config);
    this.#sweeper.look = this.#createLook(config, this.#memory);
    this.#sweeper.forget();
    this.#followUp.reset();
    if (scheduleChanged) this.#startSchedule();
    this.#emit({ type: 'status' });
    this.#sweeper.afresh('reload');
  }

  /** Says something in the status's limits, under a key, until it is said anew; `[]` takes it back. */
  note(key: string, limits: Limit[]): void {
    this.#notes.set(key, limits);
    this.#found = undefined;
    this.#emit({ type: 'status' });
  }

  /** Takes no more work; resolves when what was begun has ended. `graceMs`: what a clean-up that has sent signals may still take. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#schedule?.stop();
    this.#followUp.stop();
    await Promise.all([this.#sweeper.stop(SWEEP_GRACE_MS), this.#cleanups.stop(graceMs)]);
    // One that was abandoned still reads.
    if (this.#sweeper.runningSince() === undefined) this.#memory.close();
  }

  /** Whether sweeps finish in time and none hangs: what a watchdog may be told. */
  inTime(): boolean {
    const since = this.#sweeper.runningSince() ?? Number.POSITIVE_INFINITY;
    return this.#health().healthy && !(systemClock.monotonic() - since > LONGEST_SWEEP_MS);
  }

  watched(): WatchedPort[] {
    return this.#config.ports;
  }

  lastReport(): { report: Report; ageMs: number } | undefined {
    const last = this.#sweeper.last();
    return last && { report: last.report, ageMs: Math.round(systemClock.monotonic() - last.finishedAt) };
  }

  status(): Status {
    return {
      ...(this.#found ??= this.#findOut()),
      version: this.#options.version,
      pid: process.pid,
      startedAt: this.#startedAt.toISOString(),
      ...this.#health(),
      clean: this.#config.sweep.clean,
      lastSweep: this.#sweeper.newest() ?? null,
      nextSweepAt: this.#stopping ? null : (this.#schedule?.nextAt()?.toISOString() ?? null),
      intervalMs: this.#schedule?.intervalMs() ?? 0,
      runningCleanup: this.#cleanups.running() ?? null,
      host: this.#host.current(),
    };
  }

  sweeps(limit: number): SweepRecord[] {
    return this.#sweeper.records(limit);
  }

  scan(): Promise<Report> {
    return this.#sweeper.run('request');
  }

  startCleanup(options: CleanupOptions): CleanupStart {
    return this.#cleanups.request(options);
  }

  cleanups(limit: number): CleanupEntry[] {
    return this.#cleanups.list(limit);
  }

  cleanup(id: string): { entry: CleanupEntry; report: CleanReport | undefined } | undefined {
    return this.#cleanups.get(id);
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #emit(event: EngineEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #findOut(): Found {
    const report = this.#sweeper.last()?.report;
    return {
      summary: report?.summary ?? null,
      ports: {
        watched: this.#config.ports.length,
        held: report?.ports.filter(({ state }) => state === 'held').length ?? 0,
      },
      unreadable: new Set(report?.unreadable.map(({ pid }) => pid)).size,
      privileged: report?.privileged ?? false,
      runtimes: report?.runtimes ?? [],
      limits: limitsOf({
        config: this.#config,
        report,
        ...this.#abilities,
        others: [...this.#notes.values()].flat(),
      }),
    };
  }

  #createLook(config: Config, memory?: ScanMemory): Look {
    const create = this.#options.createLook;
    return (
      create?.(config) ??
      createLooker({
        config,
        cli: false,
        proc: this.#proc,
        sliceMs: SLICE_MS,
        ...(memory === undefined ? {} : { memory }),
      })
    );
  }

  #startSchedule(): void {
    this.#schedule?.stop();
    this.#schedule = startSchedule(
      this.#config.sweep.schedule,
      () => {
        this.#sweeper.due('schedule');
      },
      (due) => {
        this.#sweeper.skip('schedule', `was due at ${due.toISOString()}, while orphand was busy or stopped`);
      },
    );
  }

  #logSweep({ trigger, durationMs, result, summary, error }: SweepRecord): void {
    const { log } = this.#options;
    if (result === 'ok') log.debug({ trigger, durationMs, summary }, 'sweep finished');
    else if (result === 'failed') log.error({ trigger, durationMs, why: error }, 'sweep failed');
    else log.warn({ trigger, why: error }, 'sweep skipped');
  }

  #health(): Health {
    const newest = this.#sweeper.newest();
    return healthOf({
      now: systemClock.monotonic(),
      startedAt: this.#startedMono,
      lastFinishedAt: this.#sweeper.last()?.finishedAt,
      intervalMs: this.#schedule?.intervalMs() ?? Number.POSITIVE_INFINITY,
      failure: newest?.result === 'failed' ? (newest.error ?? undefined) : undefined,
      stopping: this.#stopping,
    });
  }
}
