import { spawnSync } from 'node:child_process';
import t from 'tap';
import { createMetrics } from '../../src/http/metrics.ts';
import type { Action } from '../../src/model.ts';
import { fakeEngine, sampleCleanReport, sampleEntry, sampleSweep } from '../helpers/fake-engine.ts';
import { needs } from '../helpers/needs.ts';
import { liveProcess, mixedReport, sampleProcess, sampleReport } from '../helpers/sample-report.ts';

/** `name{labels}` → value. */
function parse(text: string): Map<string, number> {
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

function metricsOf(engine = fakeEngine(mixedReport())) {
  const metrics = createMetrics(engine, '0.1.0', 0);
  return { engine, metrics, read: async () => parse(await metrics.text()) };
}

t.test('the names are the documented ones, and those of the process', async (t) => {
  const { metrics } = metricsOf();
  const names = [...(await metrics.text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  t.same(names.sort(), [
    'nodejs_heap_size_used_bytes',
    'orphand_build_info',
    'orphand_cleanups_total',
    'orphand_kills_total',
    'orphand_last_sweep_timestamp_seconds',
    'orphand_port_held',
    'orphand_ports_watched',
    'orphand_processes',
    'orphand_runtime_available',
    'orphand_supervisor_deaths_total',
    'orphand_sweep_duration_seconds',
    'orphand_sweeps_total',
    'orphand_unreadable_processes',
    'process_cpu_seconds_total',
    'process_max_fds',
    'process_open_fds',
    'process_resident_memory_bytes',
    'process_start_time_seconds',
  ]);
});

t.test('ports say which verdict holds them, with a zero for those that do not', async (t) => {
  const { read } = metricsOf();
  const samples = await read();
  const held = (port: number, service: string, verdict: string) =>
    samples.get(`orphand_port_held{port="${port}",service="${service}",verdict="${verdict}"}`);
  t.equal(held(8091, 'aidb-http', 'orphan'), 1);
  t.equal(held(8091, 'aidb-http', 'container'), 0);
  t.equal(held(6333, 'qdrant', 'suspect'), 1);
  t.equal(held(8094, 'nixos-docs', 'orphan'), 0);
  t.equal(samples.get('orphand_ports_watched'), 11);
  t.equal(samples.get('orphand_processes{verdict="orphan"}'), 3);
  t.equal(samples.get('orphand_unreadable_processes'), 1);
  t.equal(samples.get('orphand_runtime_available{runtime="podman"}'), 1);
  t.equal(samples.get('orphand_runtime_available{runtime="docker"}'), 0);
  t.equal(samples.get('orphand_build_info{version="0.1.0",node="' + process.version + '"}'), 1);
});

t.test('an orphan and a live container on one port are both told', async (t) => {
  const { read } = metricsOf(fakeEngine(sampleReport([sampleProcess(), liveProcess(22011, 'aidb', [8091])])));
  const samples = await read();
  t.equal(samples.get('orphand_port_held{port="8091",service="aidb-http",verdict="orphan"}'), 1);
  t.equal(samples.get('orphand_port_held{port="8091",service="aidb-http",verdict="container"}'), 1);
});

t.test('a held port whose holder nobody could see is held by something unknown', async (t) => {
  const report = sampleReport([]);
  report.ports[0] = {
    ...report.ports[0]!,
    state: 'held',
    listeners: [{ address: '::', inode: 1, uid: 0, holders: [] }],
  };
  const samples = await metricsOf(fakeEngine(report)).read();
  t.equal(samples.get('orphand_port_held{port="8091",service="aidb-http",verdict="unknown"}'), 1);
});

t.test('a port that an orphan let go goes back to zero', async (t) => {
  const { engine, read } = metricsOf();
  engine.swept(sampleReport([]));
  const samples = await read();
  t.equal(samples.get('orphand_port_held{port="8091",service="aidb-http",verdict="orphan"}'), 0);
  t.equal(samples.get('orphand_processes{verdict="orphan"}'), 0);
  t.notOk(
    samples.has('orphand_runtime_available{runtime="docker"}'),
    'and a runtime that is no longer asked is gone',
  );
});

t.test('sweeps are counted by trigger and result, and only good ones move the clock', async (t) => {
  const { engine, read } = metricsOf();
  t.equal((await read()).get('orphand_last_sweep_timestamp_seconds'), 0);
  t.equal(
    (await read()).get('orphand_sweeps_total{trigger="schedule",result="failed"}'),
    0,
    'zero before the first',
  );
  engine.swept(mixedReport());
  const at = Date.parse(mixedReport().takenAt) / 1000;
  engine.emit({
    type: 'sweep',
    sweep: sampleSweep(undefined, {
      at: '2026-01-02T10:00:00.000Z',
      result: 'failed',
      error: 'EIO',
      durationMs: 9_000,
    }),
    report: undefined,
  });
  engine.emit({ type: 'sweep', sweep: sampleSweep(undefined, { result: 'skipped' }), report: undefined });
  const samples = await read();
  t.equal(samples.get('orphand_sweeps_total{trigger="schedule",result="ok"}'), 1);
  t.equal(samples.get('orphand_sweeps_total{trigger="schedule",result="failed"}'), 1);
  t.equal(samples.get('orphand_sweeps_total{trigger="schedule",result="skipped"}'), 1);
  t.equal(samples.get('orphand_last_sweep_timestamp_seconds'), at);
  t.equal(samples.get('orphand_sweep_duration_seconds_count'), 1);
  t.equal(samples.get('orphand_sweep_duration_seconds_sum')?.toFixed(6), '0.013700');
  t.equal(samples.get('orphand_processes{verdict="orphan"}'), 3, 'the last report stays');
});

t.test('kills are counted by what was sent last and what became of it', async (t) => {
  const { engine, read } = metricsOf();
  const report = sampleCleanReport(mixedReport());
  const act = (signals: string[], outcome: Action['outcome']): Action => ({
    ...report.actions[0]!,
    steps: signals.map((signal) => ({ at: '2026-01-02T09:00:00.000Z', signal })),
    outcome,
  });
  report.actions = [
    act(['SIGTERM'], 'terminated'),
    act(['SIGTERM', 'SIGKILL'], 'killed'),
    act(['SIGTERM', 'cgroup.kill'], 'killed'),
    act(['podman stop', 'podman rm'], 'killed'),
    act(['SIGTERM', 'freezer'], 'survived'),
    act([], 'refused'),
  ];
  engine.emit({ type: 'cleanup', cleanup: sampleEntry({ state: 'running' }), report: undefined });
  engine.emit({ type: 'cleanup', cleanup: sampleEntry({ trigger: 'sweep' }), report });
  const samples = await read();
  const kills = [...samples].filter(([name, value]) => name.startsWith('orphand_kills_total') && value > 0);
  t.same(Object.fromEntries(kills), {
    'orphand_kills_total{signal="SIGTERM",outcome="terminated"}': 1,
    'orphand_kills_total{signal="SIGKILL",outcome="killed"}': 1,
    'orphand_kills_total{signal="cgroup.kill",outcome="killed"}': 1,
    'orphand_kills_total{signal="runtime",outcome="killed"}': 1,
    'orphand_kills_total{signal="SIGKILL",outcome="survived"}': 1,
    'orphand_kills_total{signal="none",outcome="refused"}': 1,
  });
  t.equal(samples.get('orphand_cleanups_total{trigger="sweep",outcome="ok"}'), 1);
});

t.test('a plan is no kill; what failed is told', async (t) => {
  const { engine, read } = metricsOf();
  const report = sampleCleanReport(mixedReport(), { dryRun: true });
  engine.emit({ type: 'cleanup', cleanup: sampleEntry({ dryRun: true }), report });
  engine.emit({ type: 'cleanup', cleanup: sampleEntry({ state: 'failed', ok: null }), report: undefined });
  engine.emit({
    type: 'cleanup',
    cleanup: sampleEntry({ ok: false }),
    report: sampleCleanReport(mixedReport(), { actions: [] }),
  });
  engine.emit({ type: 'supervisor-death', pid: 7, comm: 'conmon' });
  const samples = await read();
  t.same(
    [...samples].filter(([name, value]) => name.startsWith('orphand_kills_total') && value > 0),
    [],
  );
  t.equal(samples.get('orphand_cleanups_total{trigger="api",outcome="planned"}'), 1);
  t.equal(samples.get('orphand_cleanups_total{trigger="api",outcome="failed"}'), 1);
  t.equal(samples.get('orphand_cleanups_total{trigger="api",outcome="incomplete"}'), 1);
  t.equal(samples.get('orphand_supervisor_deaths_total'), 1);
});

t.test(
  'at most 300 series on the default stack, whatever happens and whatever processes are called',
  async (t) => {
    const { engine, metrics, read } = metricsOf();
    const listening = engine.listeners();
    const hostile = Array.from({ length: 500 }, (_, index) =>
      sampleProcess({ pid: 1000 + index, comm: `x${index}"}\n`, user: `u${index}`, patterns: [`p${index}`] }),
    );
    for (const process of hostile) {
      engine.swept(
        sampleReport([process], {
          runtimes: [{ name: `r${process.pid}`, user: 'x', available: true, reason: '' }],
        }),
      );
      engine.emit({ type: 'supervisor-death', pid: process.pid, comm: process.comm });
    }
    engine.emit({ type: 'cleanup', cleanup: sampleEntry(), report: sampleCleanReport(mixedReport()) });
    const samples = await read();
    t.ok(samples.size <= 300, `${samples.size} series`);
    t.notMatch([...samples.keys()].join('\n'), /x499|u499|p499|r1499|pid/);
    t.equal(engine.listeners(), listening, 'and no subscription is added');
    metrics.close();
    t.equal(engine.listeners(), 0);
  },
);

t.test('many readers cost as much as one, until something happens', async (t) => {
  const engine = fakeEngine(mixedReport());
  const metrics = createMetrics(engine, '0.1.0', 60_000);
  const first = metrics.text();
  t.equal(metrics.text(), first);
  engine.swept(sampleReport([]));
  t.match(await metrics.text(), /orphand_processes\{verdict="orphan"\} 0/);
});

t.test('a reload changes the watched ports', async (t) => {
  const { engine, read } = metricsOf();
  engine.state.watched = [{ port: 9999, protocol: 'tcp', service: 'new' }];
  engine.swept(sampleReport([sampleProcess()]));
  const samples = await read();
  t.equal(samples.get('orphand_ports_watched'), 1);
  const ports = [...samples.keys()].filter((name) => name.startsWith('orphand_port_held'));
  t.ok(ports.length > 0 && ports.every((name) => name.includes('port="9999"')), 'and only they are labels');
});

t.test('promtool finds nothing to say', async (t) => {
  if (!needs(t, 'prometheus')) return;
  const { engine, metrics } = metricsOf();
  engine.swept(mixedReport());
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: await metrics.text(),
    encoding: 'utf8',
  });
  t.same({ status, text: stdout + stderr }, { status: 0, text: '' });
});
