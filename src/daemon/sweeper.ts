import { setTimeout as delay } from 'node:timers/promises';
import type { SweepRecord, SweepTrigger } from '../http/engine.ts';
import type { Report } from '../model.ts';
import type { Clock } from '../reap/clock.ts';
import type { Look } from '../report/look.ts';

/** A sweep that succeeded. */
export interface Swept {
  report: Report;
  /** It read everything, and trusted in nothing that sweeps before it had seen. */
  whole: boolean;
  /** Monotonic ms, when it began and when it had finished. */
  beganAt: number;
  finishedAt: number;
}

export interface SweeperOptions {
  look: Look;
  clock: Clock;
  /** Of so many sweeps that may trust in what the ones before have seen, one does not. */
  fullScanEvery: () => number;
  /** Told of each sweep that ended, and each that was skipped; `swept` is there when it succeeded. */
  onSweep: (record: SweepRecord, swept: Swept | undefined) => void;
}

const KEPT = 500;

/** Sweeps that come by themselves and often. What a person asks for, and what a signal may follow from, is whole. */
const maySkip = new Set<SweepTrigger>(['schedule', 'supervisor-death']);

/** Runs sweeps, never two at a time, and keeps what came of them. */
export class Sweeper {
  /** Exchanged when the configuration is read again. */
  look: Look;
  readonly #clock: Clock;
  readonly #onSweep: SweeperOptions['onSweep'];
  readonly #records: SweepRecord[] = [];
  #running: { report: Promise<Report>; whole: boolean; beganAt: number } | undefined;
  #again: SweepTrigger | undefined;
  #last: Swept | undefined;
  #stopped = false;
  readonly #fullScanEvery: () => number;
  /** How many sweeps in a row were not whole; none has been, at first. */
  #sinceWhole = Infinity;

  constructor({ look, clock, fullScanEvery, onSweep }: SweeperOptions) {
    this.#fullScanEvery = fullScanEvery;
    this.look = look;
    this.#clock = clock;
    this.#onSweep = onSweep;
  }

  /** The newest that succeeded. */
  last(): Swept | undefined {
    return this.#last;
  }

  /** The newest records, oldest first. */
  records(limit: number): SweepRecord[] {
    return limit <= 0 ? [] : this.#records.slice(-limit);
  }

  /** The newest record that is not of a skipped sweep. */
  newest(): SweepRecord | undefined {
    return this.#records.findLast(({ result }) => result !== 'skipped');
  }

  /** Monotonic ms since which a sweep runs; undefined when none does. */
  runningSince(): number | undefined {
    return this.#running?.beganAt;
  }

  /** Begins a sweep or joins the one that runs, once that is whole where it has to be. Rejects with what the look threw. */
  run(trigger: SweepTrigger): Promise<Report> {
    if (this.#running === undefined) return this.#begin(trigger);
    const { report, whole } = this.#running;
    if (whole || maySkip.has(trigger)) return report;
    const another = () => this.run(trigger);
    return report.then(another, another);
  }

  /** A sweep by the clock: skipped, and counted, while one still runs. */
  due(trigger: SweepTrigger): void {
    if (this.#running === undefined) this.#start(trigger);
    else
      this.skip(
        trigger,
        `the sweep before still runs, since ${Math.round(this.#clock.monotonic() - this.#running.beganAt)} ms`,
      );
  }

  /** Records a sweep that could not begin. */
  skip(trigger: SweepTrigger, error: string): void {
    this.#record(
      { at: this.#now(), trigger, result: 'skipped', durationMs: 0, summary: null, error },
      undefined,
    );
  }

  /** Has the next sweep read everything. */
  forget(): void {
    this.#sinceWhole = Infinity;
  }

  /** A sweep that sees what is so from now on: one that runs may have looked there already, so another follows it. */
  afresh(trigger: SweepTrigger): void {
    if (this.#running === undefined) this.#start(trigger);
    else this.#again ??= trigger;
  }

  /** Begins no more; resolves when the one that runs has ended, or after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    const ended = this.#running?.report.catch(() => undefined);
    if (ended === undefined) return;
    const abandoned = new AbortController();
    await Promise.race([
      ended,
      delay(graceMs, undefined, { signal: abandoned.signal }).catch(() => undefined),
    ]);
    abandoned.abort();
  }

  #start(trigger: SweepTrigger): void {
    // A failure is on record (onSweep); nobody waits for this one.
    this.#begin(trigger).catch(() => undefined);
  }

  #begin(trigger: SweepTrigger): Promise<Report> {
    if (this.#stopped) return Promise.reject(new Error('orphand is stopping'));
    const beganAt = this.#clock.monotonic();
    const at = this.#now();
    const whole = !maySkip.has(trigger) || this.#sinceWhole + 1 >= this.#fullScanEvery();
    this.#sinceWhole = whole ? 0 : this.#sinceWhole + 1;
    const report = this.#sweep(trigger, whole, at, beganAt);
    this.#running = { report, whole, beganAt };
    return report;
  }

  async #sweep(trigger: SweepTrigger, whole: boolean, at: string, beganAt: number): Promise<Report> {
    // The caller has noted that one runs before the look, which reads synchronously, keeps it from doing anything.
    await Promise.resolve();
    try {
      const report = await this.#looked(trigger, whole, at, beganAt);
      const finishedAt = this.#clock.monotonic();
      this.#running = undefined;
      this.#last = { report, whole, beganAt, finishedAt };
      const durationMs = finishedAt - beganAt;
      this.#record(
        { at, trigger, result: 'ok', durationMs, summary: report.summary, error: null },
        this.#last,
      );
      return report;
    } finally {
      const again = this.#again;
      this.#again = undefined;
      if (again !== undefined) this.#start(again);
    }
  }

  async #looked(trigger: SweepTrigger, whole: boolean, at: string, beganAt: number): Promise<Report> {
    try {
      return await this.look({ whole });
    } catch (error) {
      this.forget();
      this.#running = undefined;
      const durationMs = this.#clock.monotonic() - beganAt;
      const text = error instanceof Error ? error.message : String(error);
      this.#record({ at, trigger, result: 'failed', durationMs, summary: null, error: text }, undefined);
      throw error;
    }
  }

  #record(record: SweepRecord, swept: Swept | undefined): void {
    const rounded = { ...record, durationMs: Math.round(record.durationMs * 100) / 100 };
    this.#records.push(rounded);
    if (this.#records.length > KEPT) this.#records.shift();
    this.#onSweep(rounded, swept);
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString();
  }
}
