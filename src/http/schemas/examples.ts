/** What the OpenAPI document shows, and tests vary: the reference document's own orphan, found and ended. */
import type { CleanReport, Report, ReportedProcess } from '../../model.ts';
import type { CleanupEntry, Status, SweepRecord } from '../engine.ts';

const containerId = '4f0c9d6a1b7e2f5380a94c1de6b72853f9a0417cbd25e86f3b9c7d104ae5f628';

export const processExample: ReportedProcess = {
  pid: 1328823,
  startTime: 4821034,
  startedAt: '2026-01-01T21:40:12.340Z',
  ppid: 1,
  uid: 0,
  user: 'root',
  comm: 'python3',
  cmdline: ['python3', '-u', '/app/server.py', '--config', '/app/config/config.yaml'],
  exe: '/usr/local/bin/python3.11',
  cgroup: `/machine.slice/libpod-${containerId}.scope`,
  unit: null,
  container: { runtime: 'podman', id: containerId, name: 'local-ai-aidb' },
  supervisor: null,
  ports: [8091],
  patterns: ['server\\.py --config'],
  inScope: true,
  verdict: 'orphan',
  reason: 'container-gone',
  cause: "aidb-http's process 1328823 survived its container: conmon is gone, podman no longer knows it",
  warning: null,
  evidence: [
    { fact: 'cgroup', value: `/machine.slice/libpod-${containerId}.scope`, source: '/proc/1328823/cgroup' },
    { fact: 'parent', value: '1', source: '/proc/1328823/stat' },
    { fact: 'supervisor', value: 'none: no conmon between it and pid 1', source: '/proc/1328823/stat' },
    {
      fact: 'podman',
      value: 'does not know the container',
      source: '/var/lib/containers/storage/overlay-containers/containers.json',
    },
  ],
};

export const reportExample: Report = {
  schema: 1,
  bootId: '5d0f8f0a-6d5a-4a8e-9a37-0c7f3a1f2b55',
  takenAt: '2026-01-02T09:00:15.004Z',
  durationMs: 13.7,
  privileged: true,
  unreadable: [],
  runtimes: [{ name: 'podman', user: 'root', available: true, reason: '/var/lib/containers/storage' }],
  ports: [
    {
      port: 8091,
      protocol: 'tcp',
      service: 'aidb-http',
      state: 'held',
      listeners: [{ address: '0.0.0.0', inode: 708091, uid: 0, holders: [1328823] }],
    },
    { port: 3001, protocol: 'tcp', service: 'open-webui', state: 'free', listeners: [] },
  ],
  processes: [processExample],
  summary: { orphan: 1, suspect: 0, unknown: 0, container: 0, helper: 0, host: 0 },
};

export const cleanReportExample: CleanReport = {
  id: '01JZ8C4T',
  trigger: 'api',
  dryRun: false,
  scan: reportExample,
  actions: [
    {
      pid: 1328823,
      startTime: 4821034,
      comm: 'python3',
      verdict: 'orphan',
      reason: 'container-gone',
      ports: [8091],
      steps: [{ at: '2026-01-02T09:00:17.010Z', signal: 'SIGTERM' }],
      outcome: 'terminated',
      detail: null,
      ms: 42,
    },
  ],
  ports: [
    { port: 8091, service: 'aidb-http', state: 'free', freed: true, ms: 42 },
    { port: 3001, service: 'open-webui', state: 'free', freed: false, ms: 0 },
  ],
  remaining: [],
  ok: true,
};

export const cleanupExample: CleanupEntry = {
  id: '01JZ8C4T',
  trigger: 'api',
  dryRun: false,
  state: 'finished',
  startedAt: '2026-01-02T09:00:15.000Z',
  finishedAt: '2026-01-02T09:00:17.060Z',
  ok: true,
  outcomes: { terminated: 1, killed: 0, gone: 0, survived: 0, refused: 0, planned: 0 },
  freed: [8091],
  error: null,
};

export const sweepExample: SweepRecord = {
  at: '2026-01-02T09:00:15.004Z',
  trigger: 'schedule',
  result: 'ok',
  durationMs: 13.7,
  summary: reportExample.summary,
  error: null,
};

export const statusExample: Status = {
  version: '0.1.0',
  pid: 4711,
  startedAt: '2026-01-02T08:00:00.000Z',
  healthy: true,
  ready: true,
  problem: null,
  clean: 'off',
  lastSweep: sweepExample,
  nextSweepAt: '2026-01-02T09:00:30.000Z',
  intervalMs: 15_000,
  summary: reportExample.summary,
  ports: { watched: 2, held: 1 },
  unreadable: 0,
  privileged: true,
  runtimes: reportExample.runtimes,
  runningCleanup: null,
  limits: [],
  host: {
    name: 'ai-host',
    kernel: '6.12.41',
    uptimeSeconds: 260_000,
    load: [0.4, 0.3, 0.2],
    memory: { totalBytes: 67_000_000_000, availableBytes: 21_000_000_000 },
  },
};
