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
    at: report?.takenAt ?? '2026-01-02T09:00:15.004Z',
    trigger: 'schedule',
    result: 'ok',
    durationMs: report?.durationMs ?? 12,
    summary: report?.summary ?? null,
    error: null,
    ...overrides,
  };
}

/** A daemon that is well. */
export function sampleStatus(report: Report | undefined, overrides: Partial<Status> = {}): Status {
  return {
    version: '0.1.0',
    pid: 4711,
    startedAt: '2026-01-02T08:00:00.000Z',
    healthy: true,
    ready: report !== undefined,
    problem: report === undefined ? 'the first sweep has not finished' : null,
    clean: 'off',
    lastSweep: report === undefined ? null : sampleSweep(report),
    nextSweepAt: '2026-01-02T09:00:30.000Z',
    intervalMs: 15_000,
    summary: report?.summary ?? null,
    ports: {
      watched: stackPorts.length,
      held: report?.ports.filter((port) => port.state === 'held').length ?? 0,
    },
    unreadable: report?.unreadable.length ?? 0,
    privileged: true,
    runtimes: report?.runtimes ?? [],
    runningCleanup: null,
    limits: [],
    host: {
      name: 'ai-host',
      kernel: '6.12.41',
      uptimeSeconds: 260_000,
      load: [0.4, 0.3, 0.2],
      memory: { totalBytes: 67_000_000_000, availableBytes: 21_000_000_000 },
    },
    ...overrides,
  };
}

/** A finished clean-up in the list. */
export function sampleEntry(overrides: Partial<CleanupEntry> = {}): CleanupEntry {
  return {
    id: '01JZ8C4T',
    trigger: 'api',
    dryRun: false,
    state: 'finished',
    startedAt: '2026-01-02T08:58:00.000Z',
    finishedAt: '2026-01-02T08:58:03.100Z',
    ok: true,
    outcomes: { terminated: 1, killed: 1, gone: 0, survived: 0, refused: 0, planned: 0 },
    freed: [8091, 3001],
    error: null,
    ...overrides,
  };
}

/** What a clean-up of the two orphans of the reference did. */
export function sampleCleanReport(scan: Report, overrides: Partial<CleanReport> = {}): CleanReport {
  return {
    id: '01JZ8C4T',
    trigger: 'api',
    dryRun: false,
    scan,
    actions: [
      {
        pid: 1328823,
        startTime: 4821034,
        comm: 'python3',
        verdict: 'orphan',
        reason: 'container-gone',
        ports: [8091],
        steps: [{ at: '2026-01-02T08:58:02.010Z', signal: 'SIGTERM' }],
        outcome: 'terminated',
        detail: null,
        ms: 42,
      },
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
    remaining: [],
    ok: true,
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
