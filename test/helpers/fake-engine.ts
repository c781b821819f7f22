import type { CleanReport, Report, WatchedPort } from '../../src/model.ts';
import type {
  CleanupEntry,
  CleanupOptions,
  CleanupStart,
  Engine,
  EngineEvent,
  Status,
  SweepRecord,
} from '../../src/http/engine.ts';
import {
  cleanReportExample,
  cleanupExample,
  statusExample,
  sweepExample,
} from '../../src/http/schemas/examples.ts';
import { stackPorts } from './sample-report.ts';

/** An engine that a test moves by hand. */
export interface FakeEngine extends Engine {
  /** What the next answers are made of. */
  state: {
    watched: WatchedPort[];
    report: Report | undefined;
    ageMs: number;
    status: Status;
    sweeps: SweepRecord[];
    cleanups: CleanupEntry[];
    reports: Map<string, CleanReport>;
    scan: () => Promise<Report>;
    start: (options: CleanupOptions) => CleanupStart;
  };
  /** Every clean-up that was asked for. */
  asked: CleanupOptions[];
  /** Tells every listener. */
  emit(event: EngineEvent): void;
  /** How many listen. */
  listeners(): number;
  /** A sweep ends with this report, as the daemon does it: state first, then the event. */
  swept(report: Report, overrides?: Partial<SweepRecord>): void;
}

/** A sweep that went well. */
export function sampleSweep(report: Report | undefined, overrides: Partial<SweepRecord> = {}): SweepRecord {
  return {
    ...sweepExample,
    ...(report !== undefined && { at: report.takenAt, durationMs: report.durationMs }),
    summary: report?.summary ?? null,
    ...overrides,
  };
}

/** A daemon that is well. */
export function sampleStatus(report: Report | undefined, overrides: Partial<Status> = {}): Status {
  return {
    ...structuredClone(statusExample),
    ready: report !== undefined,
    problem: report === undefined ? 'the first sweep has not finished' : null,
    lastSweep: report === undefined ? null : sampleSweep(report),
    summary: report?.summary ?? null,
    ports: {
      watched: stackPorts.length,
      held: report?.ports.filter((port) => port.state === 'held').length ?? 0,
    },
    unreadable: report?.unreadable.length ?? 0,
    runtimes: report?.runtimes ?? [],
    ...overrides,
  };
}

/** A finished clean-up in the list. */
export function sampleEntry(overrides: Partial<CleanupEntry> = {}): CleanupEntry {
  return {
    ...structuredClone(cleanupExample),
    startedAt: '2026-01-02T08:58:00.000Z',
    finishedAt: '2026-01-02T08:58:03.100Z',
    outcomes: { terminated: 1, killed: 1, gone: 0, survived: 0, refused: 0, planned: 0 },
    freed: [8091, 3001],
    ...overrides,
  };
}

/** What a clean-up of the two orphans of the reference did. */
export function sampleCleanReport(scan: Report, overrides: Partial<CleanReport> = {}): CleanReport {
  return {
    ...structuredClone(cleanReportExample),
    scan,
    actions: [
      ...structuredClone(cleanReportExample.actions),
      {
        pid: 95306,
        startTime: 120034,
        comm: 'python3',
        verdict: 'orphan',
        reason: 'stack-process-reparented',
        ports: [3001],
        steps: [
          { at: '2026-01-02T08:58:02.011Z', signal: 'SIGTERM' },
          { at: '2026-01-02T08:58:07.012Z', signal: 'SIGKILL' },
        ],
        outcome: 'killed',
        detail: null,
        ms: 5_020,
      },
    ],
    ports: [
      { port: 8091, service: 'aidb-http', state: 'free', freed: true, ms: 42 },
      { port: 3001, service: 'open-webui', state: 'free', freed: true, ms: 5_020 },
    ],
    ...overrides,
  };
}

/** An engine with this report, or with none yet. */
export function fakeEngine(report?: Report): FakeEngine {
  const listeners = new Set<(event: EngineEvent) => void>();
  const state: FakeEngine['state'] = {
    watched: stackPorts,
    report,
    ageMs: 3_400,
    status: sampleStatus(report),
    sweeps: report === undefined ? [] : [sampleSweep(report)],
    cleanups: [],
    reports: new Map(),
    scan: () =>
      state.report === undefined ? Promise.reject(new Error('no scan here')) : Promise.resolve(state.report),
    start: () => ({ started: false, reason: 'stopping' }),
  };
  const asked: CleanupOptions[] = [];
  const emit = (event: EngineEvent) => {
    for (const listener of listeners) listener(event);
  };
  return {
    state,
    asked,
    emit,
    listeners: () => listeners.size,
    swept(next, overrides = {}) {
      const sweep = sampleSweep(next, overrides);
      state.report = next;
      state.status = sampleStatus(next, { lastSweep: sweep, clean: state.status.clean });
      state.sweeps = [...state.sweeps, sweep];
      emit({ type: 'sweep', sweep, report: next });
    },
    watched: () => state.watched,
    lastReport: () => (state.report === undefined ? undefined : { report: state.report, ageMs: state.ageMs }),
    status: () => state.status,
    sweeps: (limit) => state.sweeps.slice(-limit),
    scan: () => state.scan(),
    startCleanup(options) {
      asked.push(options);
      return state.start(options);
    },
    cleanups: (limit) => state.cleanups.slice(0, limit),
    cleanup(id) {
      const entry = state.cleanups.find((candidate) => candidate.id === id);
      return entry === undefined ? undefined : { entry, report: state.reports.get(id) };
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
