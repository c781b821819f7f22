/** The Prometheus metrics of DESIGN.md section 5. Every label comes from a closed set or the configuration, never from a process. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type {
  Action,
  CleanReport,
  Report,
  ReportedPort,
  RuntimeName,
  Trigger,
  Verdict,
  WatchedPort,
} from '../model.ts';
import type { CleanupEntry, Engine, EngineEvent, SweepRecord, SweepResult, SweepTrigger } from './engine.ts';
import { fresh } from './fresh.ts';
import { processMetrics } from './process-metrics.ts';
import { verdicts } from './schemas/report.ts';

/** The metrics as text. */
export interface Metrics {
  readonly contentType: string;
  /** Exposition text, at most `cacheMs` old. */
  text(): Promise<string>;
  /** Ends the subscription. */
  close(): void;
}

// A sweep takes 1 ms where nothing changed and up to seconds where a host has thousands of processes.
const sweepSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

const sweepTriggers: readonly SweepTrigger[] = [
  'start',
  'schedule',
  'request',
  'supervisor-death',
  'confirm',
  'reload',
];
const sweepResults: readonly SweepResult[] = ['ok', 'failed', 'skipped'];
const triggers: readonly Trigger[] = ['sweep', 'api'];
const signals = ['SIGTERM', 'SIGKILL', 'cgroup.kill', 'runtime', 'none'] as const;
const killOutcomes = ['terminated', 'killed', 'gone', 'survived', 'refused'] as const;
const cleanupOutcomes = ['ok', 'incomplete', 'failed', 'planned'] as const;
const runtimeNames: readonly RuntimeName[] = ['podman', 'docker', 'containerd', 'crio', 'lxc', 'nspawn'];

/** Subscribes to the engine; what it reports before that is counted as seen now. */
export function createMetrics(engine: Engine, version: string, cacheMs: number): Metrics {
  const registry = new Registry();
  const set = createSeries(registry, version);
  processMetrics(registry);

  const watched = engine.watched();
  set.watch(watched);
  const last = engine.lastReport();
  if (last !== undefined) set.report(last.report, engine.watched());

  const unsubscribe = engine.subscribe((event) => {
    set.event(event, engine.watched());
  });
  const text = fresh(engine, cacheMs, () => registry.metrics());
  return {
    contentType: registry.contentType,
    text: () => text.get(),
    close() {
      text.close();
      unsubscribe();
    },
  };
}

function createSeries(registry: Registry, version: string) {
  const registers = [registry];
  const build = new Gauge({
    name: 'orphand_build_info',
    help: 'Always 1; the version is a label.',
    labelNames: ['version', 'node'],
    registers,
  });
  build.set({ version, node: process.version }, 1);
  const portsWatched = new Gauge({
    name: 'orphand_ports_watched',
    help: 'Ports that are watched.',
    registers,
  });
  const portHeld = new Gauge({
    name: 'orphand_port_held',
    help: 'Whether a process with this verdict holds the port (1) or none does (0).',
    labelNames: ['port', 'service', 'verdict'],
    registers,
  });
  const processes = new Gauge({
    name: 'orphand_processes',
    help: 'Processes in the last report by verdict.',
    labelNames: ['verdict'],
    registers,
  });
  const sweeps = new Counter({
    name: 'orphand_sweeps_total',
    help: 'Sweeps by what started them and how they ended.',
    labelNames: ['trigger', 'result'],
    registers,
  });
  const sweepDuration = new Histogram({
    name: 'orphand_sweep_duration_seconds',
    help: 'How long a finished sweep took.',
    buckets: sweepSeconds,
    registers,
  });
  const lastSweep = new Gauge({
    name: 'orphand_last_sweep_timestamp_seconds',
    help: 'When the last sweep that succeeded began (Unix time); 0 before the first.',
    registers,
  });
  const kills = new Counter({
    name: 'orphand_kills_total',
    help: 'Processes that were to be ended, by the last thing sent to them and what became of them.',
    labelNames: ['signal', 'outcome'],
    registers,
  });
  const cleanups = new Counter({
    name: 'orphand_cleanups_total',
    help: 'Clean-ups by what started them and how they ended.',
    labelNames: ['trigger', 'outcome'],
    registers,
  });
  const supervisorDeaths = new Counter({
    name: 'orphand_supervisor_deaths_total',
    help: 'Container supervisors (conmon, shims) that ended while orphand watched them.',
    registers,
  });
  const runtimeAvailable = new Gauge({
    name: 'orphand_runtime_available',
    help: 'Whether every source of this runtime answered when last asked.',
    labelNames: ['runtime'],
    registers,
  });
  const unreadable = new Gauge({
    name: 'orphand_unreadable_processes',
    help: 'Processes that could not be read in the last report.',
    registers,
  });

  // A counter that begins at its first event hides that event from rate(): all that can be are there from the start.
  for (const trigger of sweepTriggers) for (const result of sweepResults) sweeps.inc({ trigger, result }, 0);
  for (const trigger of triggers)
    for (const outcome of cleanupOutcomes) cleanups.inc({ trigger, outcome }, 0);
  for (const signal of signals) for (const outcome of killOutcomes) kills.inc({ signal, outcome }, 0);

  const watch = (watched: readonly WatchedPort[]) => {
    portsWatched.set(watched.length);
    portHeld.reset();
    for (const { port, service } of watched) {
      for (const verdict of verdicts) portHeld.set({ port: String(port), service, verdict }, 0);
    }
  };

  const report = (seen: Report, watched: readonly WatchedPort[]) => {
    watch(watched);
    for (const port of seen.ports) {
      if (!watched.some((entry) => entry.port === port.port && entry.service === port.service)) continue;
      for (const verdict of holderVerdicts(port, seen))
        portHeld.set({ port: String(port.port), service: port.service, verdict }, 1);
    }
    for (const verdict of verdicts) processes.set({ verdict }, seen.summary[verdict]);
    unreadable.set(new Set(seen.unreadable.map((entry) => entry.pid)).size);
    runtimeAvailable.reset();
    for (const runtime of runtimeNames) {
      const sources = seen.runtimes.filter((source) => source.name === runtime);
      if (sources.length > 0)
        runtimeAvailable.set({ runtime }, sources.every((source) => source.available) ? 1 : 0);
    }
  };

  const sweep = (record: SweepRecord) => {
    sweeps.inc({ trigger: record.trigger, result: record.result });
    if (record.result !== 'ok') return;
    sweepDuration.observe(record.durationMs / 1000);
    lastSweep.set(Date.parse(record.at) / 1000);
  };

  const cleanup = (entry: CleanupEntry, done: CleanReport | undefined) => {
    if (entry.state === 'running') return;
    cleanups.inc({ trigger: entry.trigger, outcome: outcomeOf(entry) });
    if (entry.dryRun) return;
    for (const action of done?.actions ?? []) {
      kills.inc({ signal: lastSignal(action), outcome: action.outcome });
    }
  };

  const event = (happened: EngineEvent, watched: readonly WatchedPort[]) => {
    switch (happened.type) {
      case 'sweep':
        sweep(happened.sweep);
        if (happened.report !== undefined) report(happened.report, watched);
        return;
      case 'cleanup':
        cleanup(happened.cleanup, happened.report);
        return;
      case 'supervisor-death':
        supervisorDeaths.inc();
        return;
      case 'finding':
      case 'status':
        return;
    }
  };
  return { watch, report, event };
}

/** A port is held by the verdicts of its holders; one whose holders nobody could see is held by something unknown. */
function holderVerdicts(port: ReportedPort, report: Report): Set<Verdict> {
  const found = new Set<Verdict>();
  for (const listener of port.listeners) {
    const holders = report.processes.filter((process) => listener.holders.includes(process.pid));
    if (holders.length === 0) found.add('unknown');
    for (const holder of holders) found.add(holder.verdict);
  }
  return found;
}

function outcomeOf(entry: CleanupEntry): (typeof cleanupOutcomes)[number] {
  if (entry.state !== 'finished') return 'failed';
  if (entry.dryRun) return 'planned';
  return entry.ok === true ? 'ok' : 'incomplete';
}

function lastSignal(action: Action): (typeof signals)[number] {
  const signal = action.steps.at(-1)?.signal;
  switch (signal) {
    case undefined:
      return 'none';
    case 'SIGTERM':
    case 'SIGKILL':
    case 'cgroup.kill':
      return signal;
    case 'freezer':
      return 'SIGKILL';
    default:
      return 'runtime';
  }
}
