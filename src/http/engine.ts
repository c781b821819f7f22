/**
 * What the HTTP side needs of the daemon, and all it may do to it. The daemon implements this; nothing in src/http
 * imports the daemon.
 */
import type { CleanMode } from '../config/config.ts';
import type {
  CleanReport,
  Outcome,
  Report,
  ReportedProcess,
  RuntimeStatus,
  Summary,
  Trigger,
  Verdict,
  WatchedPort,
} from '../model.ts';

/** Why a sweep ran. */
export type SweepTrigger = 'start' | 'schedule' | 'request' | 'supervisor-death' | 'confirm' | 'reload';

/** `skipped`: due while the one before still ran. `failed`: ended without a report; the last one stays. */
export type SweepResult = 'ok' | 'failed' | 'skipped';

/** One sweep, without its report. */
export interface SweepRecord {
  /** When it began, RFC 3339, UTC. */
  at: string;
  trigger: SweepTrigger;
  result: SweepResult;
  durationMs: number;
  /** null unless `result` is `ok`. */
  summary: Summary | null;
  /** One line, for `failed` and `skipped`. */
  error: string | null;
}

/** Something that keeps orphand from seeing or doing all it should, with its cure. */
export interface Limit {
  /** Stable, such as `unprivileged`, `runtime-silent`, `pidfd-unavailable`. */
  code: string;
  message: string;
  cure: string | null;
}

/** The machine, as `systeminformation` tells. */
export interface HostStatus {
  name: string;
  kernel: string;
  uptimeSeconds: number;
  /** 1, 5 and 15 minutes. */
  load: number[];
  memory: { totalBytes: number; availableBytes: number };
}

/** `GET /api/v1/status`: the daemon at one glance. */
export interface Status {
  version: string;
  pid: number;
  /** When the daemon started, RFC 3339, UTC. */
  startedAt: string;
  /** Whether a sweep finished within the last three intervals (`/healthz`). */
  healthy: boolean;
  /** Whether the first sweep has finished (`/readyz`). */
  ready: boolean;
  /** Why not healthy or not ready; null when both are true. */
  problem: string | null;
  /** What a sweep may end. */
  clean: CleanMode;
  /** The newest that was not skipped; null before the first. */
  lastSweep: SweepRecord | null;
  /** RFC 3339, UTC; null when none is planned. */
  nextSweepAt: string | null;
  intervalMs: number;
  /** Of the last report, as are `ports` and `unreadable`; null before the first. */
  summary: Summary | null;
  ports: { watched: number; held: number };
  unreadable: number;
  privileged: boolean;
  runtimes: RuntimeStatus[];
  /** Id of the clean-up that runs now. */
  runningCleanup: string | null;
  limits: Limit[];
  host: HostStatus | null;
}

/** `interrupted`: the journal has its intent and no outcome, so a daemon died in it. `failed`: it threw. */
export type CleanupState = 'running' | 'finished' | 'failed' | 'interrupted';

/** One clean-up in the list, whoever started it. */
export interface CleanupEntry {
  id: string;
  trigger: Trigger;
  dryRun: boolean;
  state: CleanupState;
  startedAt: string;
  finishedAt: string | null;
  /** `CleanReport.ok`; null until it is known. */
  ok: boolean | null;
  /** How many processes ended how. */
  outcomes: Record<Outcome, number>;
  /** Ports that a target held and that are free now. */
  freed: number[];
  error: string | null;
}

/** What may be asked of a clean-up. It never names a pid: targets come from a fresh scan. */
export interface CleanupOptions {
  dryRun: boolean;
  suspects: boolean;
  /** Only these; undefined: all watched ports and processes in scope. Always a subset of `watched()`. */
  ports: number[] | undefined;
  /** Who asked, for log and journal: `uid 0, pid 4711` or `token, 127.0.0.1`. */
  by: string;
}

/** `locked`: another orphand (the command line) holds the lock. `stopping`: the daemon is about to exit. */
export type CleanupStart =
  | { started: true; id: string; done: Promise<CleanReport> }
  | { started: false; reason: 'running'; id: string }
  | { started: false; reason: 'locked' | 'stopping' };

/** A process that came into, changed within, or left the set of orphans, suspects and unknowns. */
export interface Finding {
  change: 'appeared' | 'changed' | 'gone';
  at: string;
  /** As last seen. */
  process: ReportedProcess;
  /** Its verdict before; null for `appeared`. */
  previous: Verdict | null;
}

/** What happens, in order. Listeners must not throw. */
export type EngineEvent =
  /** `report` is undefined unless the result is `ok`. Sent after `lastReport()` and `status()` have changed. */
  | { type: 'sweep'; sweep: SweepRecord; report: Report | undefined }
  | { type: 'finding'; finding: Finding }
  /** At its start (`running`, no report) and at its end. */
  | { type: 'cleanup'; cleanup: CleanupEntry; report: CleanReport | undefined }
  | { type: 'supervisor-death'; pid: number; comm: string }
  /** `status()` has changed by itself: another configuration, something new in its limits. */
  | { type: 'status' };

/** The daemon as its HTTP side sees it. */
export interface Engine {
  /** The configured ports; changes with a reload. */
  watched(): WatchedPort[];
  /** The newest report and its age in milliseconds; undefined before the first sweep. */
  lastReport(): { report: Report; ageMs: number } | undefined;
  status(): Status;
  /** The newest `limit` sweeps, oldest first. */
  sweeps(limit: number): SweepRecord[];
  /** A fresh report; joins a scan that already runs. Rejects when it fails. */
  scan(): Promise<Report>;
  /** Starts at once or says why not. `done` rejects when the clean-up could not be finished. */
  startCleanup(options: CleanupOptions): CleanupStart;
  /** The newest `limit` clean-ups, newest first, those of former daemons (journal) included. */
  cleanups(limit: number): CleanupEntry[];
  /** undefined: no such id. `report` is undefined while it runs and where only the journal knows it. */
  cleanup(id: string): { entry: CleanupEntry; report: CleanReport | undefined } | undefined;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (event: EngineEvent) => void): () => void;
}
