import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ConfigFile } from '../../src/config/schema.ts';
import type { CleanReport } from '../../src/model.ts';
import { readJournal } from '../../src/reap/journal-read.ts';
import { lockCleanup } from '../../src/reap/lock.ts';
import { type RunningDaemon, startDaemon } from '../helpers/daemon.ts';
import { ask } from '../helpers/http-client.ts';
import { type Host, thisMachine } from '../helpers/lab/host.ts';
import { freePort } from '../helpers/lab/ports.ts';
import { endProcesses, lives, type HostProcess, type Proc, startProcess } from '../helpers/lab/processes.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';
import { exactly } from '../helpers/exactly.ts';

const control = { method: 'POST', headers: { 'content-type': 'application/json' } };
const proc = { root: '/proc' };

/** A daemon that watches one port and one pattern of the test's own, and what plants its orphans. */
async function watching(t: Test, config: ConfigFile = {}) {
  const host: Host = thisMachine(t);
  const port = await freePort();
  const effective: ConfigFile = {
    ports: [{ port, service: 'test' }],
    patterns: [`${host.dir}/app/server\\.py --config`],
    ...config,
  };
  const directory = mkdtempSync(join(tmpdir(), 'orphand-e2e-'));
  t.teardown(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const daemon = await startDaemon(t, { directory, config: effective });
  /** The daemon is stopped meanwhile: a sweep that comes while python starts finds an orphan that does not listen yet. */
  const plant = async (options: Partial<HostProcess> = {}) => {
    daemon.signal('SIGSTOP');
    try {
      return await startProcess(host, {
        script: 'app/server.py',
        argv: ['python3', 'SCRIPT', '--config', 'x'],
        ports: [port],
        ...options,
      });
    } finally {
      daemon.signal('SIGCONT');
    }
  };
  /** One that a sweep has seen: what is younger than the first look of a clean-up is left for the next. */
  const plantSeen = async (options?: Partial<HostProcess>) => {
    const orphan = await plant(options);
    await until('the orphan in the report', async () => (await verdictOf(daemon, orphan)) === 'orphan');
    return orphan;
  };
  return { host, port, daemon, plant, plantSeen, config: effective };
}

async function get(daemon: RunningDaemon, path: string): Promise<Record<string, unknown>> {
  return (await daemon.ask({ path })).json;
}

/** The limits that come from what a test did; others are of the machine that it runs on. */
async function toldLimits(daemon: RunningDaemon): Promise<{ code: string }[]> {
  const { limits } = (await get(daemon, '/api/v1/status')) as { limits: { code: string }[] };
  return limits.filter(({ code }) =>
    ['reload-failed', 'restart-needed', 'interrupted-cleanup'].includes(code),
  );
}

/** What the daemon's last report says of a process: its verdict. */
async function verdictOf(daemon: RunningDaemon, { pid }: Proc): Promise<string | undefined> {
  const { status, json } = await daemon.ask({ path: `/api/v1/processes/${pid}` });
  return status === 200 ? (json['verdict'] as string) : undefined;
}

t.test(
  'with clean: off an orphan that comes up is found and told of on every path, and left alone',
  async (t) => {
    const { host, port, daemon, plantSeen } = await watching(t);
    t.match(await get(daemon, '/api/v1/status'), {
      healthy: true,
      summary: { orphan: 0 },
      ports: { held: 0 },
    });
    const orphan = await plantSeen();
    t.match(await daemon.logged('finding'), {
      level: 'warn',
      change: 'appeared',
      target: {
        pid: orphan.pid,
        verdict: 'orphan',
        reason: 'stack-process-reparented',
        ports: exactly(port),
      },
    });
    t.match(await get(daemon, `/api/v1/ports/${port}`), {
      ports: exactly({ port, state: 'held' }),
      processes: exactly({ pid: orphan.pid }),
    });
    const { body } = await ask({ to: daemon.port(), path: '/metrics' });
    t.match(body, `orphand_port_held{port="${port}",service="test",verdict="orphan"} 1\n`);
    t.match(body, 'orphand_processes{verdict="orphan"} 1\n');
    const before = (await get(daemon, '/api/v1/status'))['lastSweep'];
    await until('three more sweeps', async () => {
      const { lastSweep } = (await get(daemon, '/api/v1/status')) as { lastSweep: { at: string } };
      return Date.parse(lastSweep.at) - Date.parse((before as { at: string }).at) > 2_500;
    });
    t.ok(lives(host, orphan));
    t.match(await get(daemon, '/api/v1/cleanups'), { cleanups: exactly() });
  },
);

t.test('with clean: orphans it is found, confirmed and ended, and nothing else is touched', async (t) => {
  const { host, port, daemon, plant } = await watching(t, { sweep: { clean: 'orphans' } });
  const bystander = await startProcess(host, {
    script: 'app/other.py',
    argv: ['python3', 'SCRIPT'],
    ports: [await freePort()],
  });
  const withParent = await plant({ ports: [], parent: true });
  const orphan = await plant({ workers: 2 });
  await until('its end', () => [orphan, ...orphan.workers].every((one) => !lives(host, one)));
  const done = await daemon.logged('cleanup finished');
  t.match(done, { trigger: 'sweep', ok: false, freed: exactly(port) }, 'not ok: the suspect is left');
  t.match(
    daemon.log().find(({ msg }) => msg === 'first look, to be confirmed'),
    { target: { verdict: 'orphan' } },
  );
  const report = (await get(daemon, `/api/v1/cleanups/${String(done['cleanup'])}`)) as unknown as CleanReport;
  t.same(
    report.actions.map(({ pid, outcome }) => [pid, outcome]).sort(),
    [orphan, ...orphan.workers].map(({ pid }) => [pid, 'terminated']).sort(),
  );
  t.match(report.remaining, exactly({ pid: withParent.pid, verdict: 'suspect' }));
  t.ok(lives(host, bystander));
  t.ok(lives(host, withParent));
  t.match(readJournal(join(daemon.directory, 'state'), proc), exactly({ trigger: 'sweep', state: 'done' }));
  await until('the report after it', async () => {
    const { ports } = (await get(daemon, '/api/v1/status')) as { ports: { held: number } };
    return ports.held === 0;
  });
  const { body } = await ask({ to: daemon.port(), path: '/metrics' });
  t.match(body, 'orphand_kills_total{signal="SIGTERM",outcome="terminated"} 3\n');
});

t.test('two orphans, one after the other, are each ended; one that resists is killed', async (t) => {
  const { host, daemon, plant } = await watching(t, { sweep: { clean: 'orphans' } });
  const first = await plant();
  await until('the end of the first', () => !lives(host, first));
  const second = await plant({ ignoreTerm: true });
  await until('the end of the second', () => !lives(host, second));
  await daemon.logged('cleanup finished', (line) => (line['outcomes'] as { killed: number }).killed === 1);
  t.match(
    readJournal(join(daemon.directory, 'state'), proc).map(({ targets }) =>
      targets.map(({ identity }) => identity.pid),
    ),
    exactly(exactly(second.pid), exactly(first.pid)),
  );
});

t.test('a request cleans up at once, a dry run only plans, and both come with a report', async (t) => {
  const { host, port, daemon, plantSeen } = await watching(t);
  const orphan = await plantSeen();
  const path = '/api/v1/cleanups';
  const plan = await daemon.ask({ ...control, path, body: '{"dryRun":true}' });
  t.match(plan, {
    status: 201,
    json: { dryRun: true, actions: exactly({ pid: orphan.pid, outcome: 'planned' }) },
  });
  t.ok(lives(host, orphan));
  const done = await daemon.ask({ ...control, path, body: JSON.stringify({ dryRun: false, ports: [port] }) });
  t.match(done, {
    status: 201,
    json: {
      trigger: 'api',
      ok: true,
      actions: exactly({ pid: orphan.pid, outcome: 'terminated' }),
      ports: exactly({ port, freed: true }),
    },
  });
  t.notOk(lives(host, orphan));
  t.match(await daemon.ask({ path: String(done.headers['location']) }), {
    status: 200,
    json: { id: done.json['id'] },
  });
  t.match(await get(daemon, path), {
    cleanups: exactly({ id: done.json['id'] }, { id: plan.json['id'], dryRun: true }),
  });
});

t.test('while a clean-up runs another is refused with its id', async (t) => {
  const { host, daemon, plantSeen } = await watching(t, { gracePeriod: '3s' });
  const orphan = await plantSeen({ ignoreTerm: true });
  const path = '/api/v1/cleanups';
  const first = daemon.ask({ ...control, path, body: '{"dryRun":false}' });
  const id = await until(
    'it to run',
    async () => (await get(daemon, '/api/v1/status'))['runningCleanup'] ?? false,
  );
  t.match(await daemon.ask({ ...control, path, body: '{"dryRun":false}' }), {
    status: 409,
    json: { runningId: id },
  });
  t.match(await daemon.ask({ path: `/api/v1/cleanups/${id as string}` }), {
    status: 202,
    json: { state: 'running' },
  });
  t.match(await first, { status: 201, json: { id, actions: exactly({ outcome: 'killed' }) } });
  t.notOk(lives(host, orphan));
});

t.test('while the command line cleans up a request is refused, and sweeps end nothing', async (t) => {
  const { host, daemon, plant } = await watching(t, { sweep: { clean: 'orphans' } });
  const lock = lockCleanup(join(daemon.directory, 'state'));
  const orphan = await plant();
  t.match(await daemon.ask({ ...control, path: '/api/v1/cleanups', body: '{"dryRun":false}' }), {
    status: 409,
  });
  t.match(await daemon.logged('cleanup refused'), { why: /another clean-up is running/, trigger: 'sweep' });
  t.ok(lives(host, orphan));
  lock.release();
});

t.test(
  'the death of the parent of a stack process is looked at at once, not at the next sweep',
  async (t) => {
    // Once a year: any other sweep has its reason.
    const { host, daemon, plant } = await watching(t, { sweep: { schedule: '0 0 1 1 *' } });
    const suspect = await plant({ parent: true });
    await daemon.ask({ ...control, path: '/api/v1/scans', body: '' });
    await daemon.ask({ method: 'POST', path: '/api/v1/scans' });
    t.equal(await verdictOf(daemon, suspect), 'suspect');
    const { json } = await daemon.ask({ path: `/api/v1/processes/${suspect.pid}` });
    const parent = Number(json['ppid']);
    t.ok(parent > 1);
    await host.ok(['kill', '-KILL', String(parent)]);
    await until('the orphan in the report', async () => (await verdictOf(daemon, suspect)) === 'orphan');
    t.match(await get(daemon, '/api/v1/status'), { lastSweep: { trigger: 'supervisor-death' } });
  },
);

t.test('SIGHUP: a good file is in effect at once, a bad one changes nothing and is told of', async (t) => {
  const { host, daemon, plantSeen, config } = await watching(t);
  const orphan = await plantSeen();

  writeFileSync(daemon.configFile, 'sweep: { clean: everything }\n');
  daemon.signal('SIGHUP');
  t.match(await daemon.logged('configuration not reloaded, the old one stays'), {
    level: 'error',
    problems: exactly(/config\.yaml:1: sweep\.clean/),
  });
  t.match(await get(daemon, '/api/v1/status'), { clean: 'off', healthy: true, ports: { watched: 1 } });
  t.match(await toldLimits(daemon), exactly({ code: 'reload-failed', message: /sweep\.clean/ }));
  t.ok(lives(host, orphan));

  daemon.configure({ ...config, sweep: { clean: 'orphans' } });
  daemon.signal('SIGHUP');
  await daemon.logged('configuration reloaded');
  t.match(await get(daemon, '/api/v1/status'), { clean: 'orphans' });
  t.same(await toldLimits(daemon), []);
  await until('the orphan to be ended', () => !lives(host, orphan));

  daemon.configure({ ...config, http: { listen: '127.0.0.1:1' } });
  daemon.signal('SIGHUP');
  await daemon.logged('configuration reloaded', (line) => line['restart'] === true);
  t.match(await toldLimits(daemon), exactly({ code: 'restart-needed', message: /http\.listen/ }));
});

t.test('SIGHUP with a file that has gone keeps the old one', async (t) => {
  const { daemon } = await watching(t);
  rmSync(daemon.configFile);
  daemon.signal('SIGHUP');
  t.match(await daemon.logged('configuration not reloaded, the old one stays'), {
    problems: exactly(/ENOENT/),
  });
  t.match(await get(daemon, '/api/v1/status'), { healthy: true, ports: { watched: 1 } });
});

t.test(
  'SIGTERM while a clean-up waits out the grace period: exit 0 soon, the outcome in the journal',
  async (t) => {
    const { host, daemon, plantSeen } = await watching(t, { gracePeriod: '10m' });
    const orphan = await plantSeen({ ignoreTerm: true });
    const answer = daemon
      .ask({ ...control, path: '/api/v1/cleanups', body: '{"dryRun":false}' })
      .catch(() => undefined);
    await daemon.logged('signal sent');
    daemon.signal('SIGTERM');
    t.match(await daemon.ended, { code: 0, signal: null });
    const body = await answer;
    t.ok(body === undefined || body.status === 500, 'whoever waits for it is told, or cut off');
    t.ok(lives(host, orphan), 'it is not killed before its time');
    t.match(
      readJournal(join(daemon.directory, 'state'), proc),
      exactly({
        state: 'done',
        outcome: { ok: false, error: 'orphand was stopped before the clean-up was over' },
      }),
    );
  },
);

t.test('SIGTERM while a clean-up waits for its second look: exit 0, nothing was signalled', async (t) => {
  const { host, daemon, plantSeen } = await watching(t, { clean: { confirmAfter: '10m' } });
  const orphan = await plantSeen();
  const answer = daemon.ask({ ...control, path: '/api/v1/cleanups', body: '{"dryRun":false}' });
  await until('it to run', async () => (await get(daemon, '/api/v1/status'))['runningCleanup'] ?? false);
  daemon.signal('SIGTERM');
  t.match(await answer, {
    status: 201,
    json: { actions: exactly({ outcome: 'refused', steps: exactly() }) },
  });
  t.match(await daemon.ended, { code: 0 });
  t.ok(lives(host, orphan));
});

t.test('a clean-up in which the daemon was killed is told of by the next one, once', async (t) => {
  const { daemon, plantSeen } = await watching(t, { gracePeriod: '10m' });
  const orphan = await plantSeen({ ignoreTerm: true });
  daemon.ask({ ...control, path: '/api/v1/cleanups', body: '{"dryRun":false}' }).catch(() => undefined);
  await daemon.logged('signal sent');
  daemon.signal('SIGKILL');
  await daemon.ended;
  const { directory } = daemon;
  const second = await startDaemon(t, { directory });
  t.match(await second.logged('cleanup was interrupted'), {
    level: 'warn',
    pids: exactly(orphan.pid),
    trigger: 'api',
  });
  t.match(await toldLimits(second), exactly({ code: 'interrupted-cleanup' }));
  t.match(await get(second, '/api/v1/cleanups'), {
    cleanups: exactly({ state: 'interrupted', trigger: 'api' }),
  });
  second.signal('SIGTERM');
  await second.ended;
  const third = await startDaemon(t, { directory });
  t.same(await toldLimits(third), []);
});

t.test('promtool has nothing to say about the metrics, and a real Prometheus scrapes them', async (t) => {
  if (!needs(t, 'prometheus')) return;
  const { daemon, plantSeen } = await watching(t);
  const orphan = await plantSeen();
  const { body } = await ask({ to: daemon.port(), path: '/metrics' });
  t.equal(execFileSync('promtool', ['check', 'metrics'], { input: body, encoding: 'utf8' }), '');
  t.ok(body.split('\n').filter((line) => /^orphand_/.test(line)).length <= 300);

  const folder = mkdtempSync(join(tmpdir(), 'orphand-prometheus-'));
  const target = `127.0.0.1:${daemon.port()}`;
  writeFileSync(
    join(folder, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '1s' },
      scrape_configs: [{ job_name: 'orphand', static_configs: [{ targets: [target] }] }],
    }),
  );
  const port = await freePort();
  const server = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  const gone = once(server, 'exit');
  t.teardown(async () => {
    server.kill('SIGKILL');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  });
  const query = async (expression: string): Promise<string | undefined> => {
    const path = `/api/v1/query?query=${encodeURIComponent(expression)}`;
    const answer = await ask({ to: port, path }).catch(() => undefined);
    const result = (answer?.json['data'] as { result?: { value: [number, string] }[] } | undefined)?.result;
    return result?.[0]?.value[1];
  };
  await until('a scrape', async () => (await query('up{job="orphand"}')) === '1');
  await until('the orphan', async () => (await query('orphand_processes{verdict="orphan"}')) === '1');
  t.equal(await query('orphand_port_held{verdict="orphan"}'), '1');
  await endProcesses(thisMachine(t), [orphan]);
  await until('its end', async () => (await query('orphand_processes{verdict="orphan"}')) === '0');
});
