import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Config } from '../../src/config/config.ts';
import { defaultConfig } from '../../src/config/defaults.ts';
import { DaemonEngine } from '../../src/daemon/engine.ts';
import { createLog } from '../../src/daemon/log.ts';
import type { EngineEvent } from '../../src/http/engine.ts';
import { idler, reportOf, runs, type Said, until } from '../reap/world.ts';
import { run } from '../linux/children.ts';
import { exactly } from '../helpers/exactly.ts';

type Clean = Config['sweep']['clean'];

/** An engine whose looks say what the test says, with short times; stopped when the test ends. */
function running(t: Test, said: () => readonly Said[], clean: Clean = 'off') {
  const base = defaultConfig({ env: {}, uid: 0 });
  const config: Config = {
    ...base,
    stateDirectory: t.testdir(),
    gracePeriodMs: 300,
    clean: { ...base.clean, confirmAfterMs: 20 },
    // Once a year: every sweep is one that something asked for.
    sweep: { schedule: '0 0 1 1 *', clean, confirmAfterMs: 150, fullScanEvery: 20 },
  };
  const events: EngineEvent[] = [];
  const state = { looks: 0, error: undefined as Error | undefined };
  const engine = new DaemonEngine({
    config,
    version: '0.1.0',
    log: createLog('silent', { write: () => undefined }),
    createLook: () => () => {
      state.looks += 1;
      return state.error === undefined ? Promise.resolve(reportOf(said())) : Promise.reject(state.error);
    },
  });
  engine.subscribe((event) => events.push(event));
  t.teardown(() => engine.stop(0));
  const sweeps = () => engine.sweeps(100).map(({ trigger, result }) => `${trigger} ${result}`);
  return { engine, config, events, state, sweeps };
}

t.test('with clean: off an orphan is found and told of, and nothing more', async (t) => {
  const pid = await idler(t);
  const { engine, events } = running(t, () => [{ pid, ports: [8091] }]);
  await engine.start();
  await delay(400);
  await engine.scan();
  t.ok(runs(pid));
  t.same(engine.cleanups(10), []);
  t.match(
    events.find(({ type }) => type === 'finding'),
    { finding: { change: 'appeared', process: { pid } } },
  );
  t.match(engine.status(), {
    healthy: true,
    ready: true,
    problem: null,
    clean: 'off',
    summary: { orphan: 1 },
    ports: { held: 1 },
    lastSweep: { trigger: 'request', result: 'ok' },
    host: { kernel: String, memory: { totalBytes: Number } },
  });
});

t.test(
  'with clean: orphans one sweep sees it, one more confirms it when its time has come, and it is ended',
  async (t) => {
    const pid = await idler(t);
    const { engine, sweeps } = running(t, () => [{ pid, ports: [8091] }], 'orphans');
    await engine.start();
    t.ok(runs(pid), 'one look ends nothing');
    await until(() => engine.cleanups(1)[0]?.state === 'finished');
    t.notOk(runs(pid));
    t.match(
      engine.cleanups(1),
      exactly({ trigger: 'sweep', ok: true, outcomes: { terminated: 1 }, freed: exactly(8091) }),
    );
    t.match(engine.cleanup(engine.cleanups(1)[0]!.id)?.report, { actions: exactly({ pid }) });
    await until(() => engine.lastReport()?.report.summary.orphan === 0);
    t.same(sweeps().slice(0, 2), ['start ok', 'confirm ok'], 'nobody waited for the next year');
  },
);

t.test('what is alive again at the second look is left alone', async (t) => {
  const pid = await idler(t);
  let verdict: Said = { pid };
  const { engine, sweeps } = running(t, () => [verdict], 'orphans');
  await engine.start();
  verdict = { pid, verdict: 'container', reason: 'supervised' };
  await until(() => sweeps().includes('confirm ok'));
  await delay(50);
  t.ok(runs(pid));
  t.same(engine.cleanups(10), []);
});

t.test('the death of a supervisor is told and looked at, at once', async (t) => {
  const child = await run(t, 'sleep', ['1000']);
  const pid = await idler(t);
  const said = {
    pid,
    verdict: 'container',
    reason: 'supervised',
    supervisor: { pid: child.pid, comm: 'sleep' },
  } as const;
  const { engine, events, sweeps } = running(t, () => [said]);
  await engine.start();
  child.process.kill('SIGKILL');
  await until(() => sweeps().includes('supervisor-death ok'));
  t.match(
    events.find(({ type }) => type === 'supervisor-death'),
    { pid: child.pid, comm: 'sleep' },
  );
});

t.test('a sweep that fails leaves the last report, with its age', async (t) => {
  const { engine, state } = running(t, () => []);
  await engine.start();
  const { report } = engine.lastReport()!;
  state.error = new Error('/proc: EIO');
  await t.rejects(engine.scan(), { message: '/proc: EIO' });
  t.equal(engine.lastReport()?.report, report);
  t.type(engine.lastReport()?.ageMs, 'number');
  t.match(engine.status(), {
    healthy: true,
    ready: true,
    lastSweep: { result: 'failed', error: '/proc: EIO' },
  });
});

t.test('a first sweep that fails is no end: it is not ready until one succeeds', async (t) => {
  const { engine, state } = running(t, () => []);
  state.error = new Error('/proc: EIO');
  await t.rejects(engine.start());
  t.match(engine.status(), {
    ready: false,
    problem: 'the first sweep has not finished: /proc: EIO',
    summary: null,
  });
  t.equal(engine.lastReport(), undefined);
  state.error = undefined;
  await engine.scan();
  t.match(engine.status(), { ready: true, problem: null });
});

t.test(
  'a reload works by the new configuration at once, and what was seen before needs two looks again',
  async (t) => {
    const pid = await idler(t);
    const { engine, config, sweeps, events } = running(t, () => [{ pid }], 'off');
    await engine.start();
    events.length = 0;
    engine.reload({
      ...config,
      ports: config.ports.slice(0, 2),
      sweep: { ...config.sweep, clean: 'orphans' },
    });
    t.equal(engine.watched().length, 2);
    t.equal(engine.status().clean, 'orphans');
    t.same(events, [{ type: 'status' }], 'told at once: who keeps the status must not say the old one');
    await until(() => sweeps().includes('reload ok'));
    t.ok(runs(pid));
    await until(() => !runs(pid));
    t.ok(sweeps().includes('confirm ok'));
  },
);

t.test(
  'a reload forgets the first looks: what the old configuration saw is not what the new one would',
  async (t) => {
    const pid = await idler(t);
    const { engine, config, sweeps } = running(t, () => [{ pid }], 'orphans');
    engine.reload({ ...config, sweep: { ...config.sweep, confirmAfterMs: 600_000 } });
    await engine.start();
    await engine.scan();
    t.ok(runs(pid));
    engine.reload({ ...config, sweep: { ...config.sweep, confirmAfterMs: 0 } });
    await until(() => !runs(pid));
    t.ok(sweeps().includes('confirm ok'), 'not by the sweep that followed the reload');
  },
);

t.test('what limits the daemon can be said and taken back', async (t) => {
  const { engine, events } = running(t, () => []);
  await engine.start();
  events.length = 0;
  engine.note('reload', [{ code: 'reload-failed', message: 'line 3', cure: null }]);
  t.match(engine.status().limits, exactly({ code: 'reload-failed' }));
  engine.note('reload', []);
  t.same(events, [{ type: 'status' }, { type: 'status' }]);
  t.same(engine.status().limits, []);
});

t.test(
  'a requested clean-up is followed by a sweep, so that the last report shows what it left',
  async (t) => {
    const pid = await idler(t);
    const { engine } = running(t, () => [{ pid }]);
    await engine.start();
    const start = engine.startCleanup({ dryRun: false, suspects: false, ports: undefined, by: 'uid 0' });
    if (!start.started) throw new Error(start.reason);
    t.equal(engine.status().runningCleanup, start.id);
    await start.done;
    await until(() => engine.lastReport()?.report.summary.orphan === 0);
    t.equal(engine.status().runningCleanup, null);
  },
);

t.test('stopped, it is not ready, plans nothing and tells nobody of anything', async (t) => {
  const { engine, events } = running(t, () => []);
  await engine.start();
  await engine.stop(0);
  t.match(engine.status(), { ready: false, nextSweepAt: null, problem: 'orphand is stopping' });
  const told = events.length;
  await t.rejects(engine.scan());
  t.same(engine.startCleanup({ dryRun: true, suspects: false, ports: undefined, by: '' }), {
    started: false,
    reason: 'stopping',
  });
  t.equal(events.length, told);
});
