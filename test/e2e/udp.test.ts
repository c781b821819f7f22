import t from 'tap';
import type { Explanation } from '../../src/cli/explain.ts';
import type { PreflightReport } from '../../src/cli/preflight.ts';
import { writeConfig } from '../helpers/lab/config.ts';
import { privateHost, type Host } from '../helpers/lab/host.ts';
import { clean, judged, orphand, scan } from '../helpers/lab/orphand.ts';
import { killConmon, rootPodman, startContainer } from '../helpers/lab/podman.ts';
import { lives, startProcess } from '../helpers/lab/processes.ts';
import { pythonServer } from '../helpers/lab/server.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';
import { exactly } from '../helpers/exactly.ts';

const port = 18191;
const patterns = ['server\\.py --config'];
const server = { script: 'app/server.py', argv: ['python3', '-u', 'SCRIPT', '--config', 'x'] };

for (const address of ['0.0.0.0', '::1']) {
  t.test(`an orphan that has bound a UDP socket is found and ended (${address})`, async (t) => {
    if (!needs(t, 'root', 'unshare')) return;
    const host = await privateHost(t);
    const orphan = await startProcess(host, { ...server, udp: [port], address });
    const tcpOnly = await scan(host, writeConfig(host, { ports: [port], patterns }));
    t.match(tcpOnly.report.ports, exactly({ port, protocol: 'tcp', state: 'free' }), 'off by default');

    const config = writeConfig(host, { ports: [port], patterns, protocols: ['tcp', 'udp'] });
    const { report } = await scan(host, config);
    t.match(
      report.ports,
      exactly(
        { port, protocol: 'tcp', state: 'free', listeners: exactly() },
        {
          port,
          protocol: 'udp',
          state: 'held',
          listeners: exactly({ address, holders: exactly(orphan.pid) }),
        },
      ),
    );
    t.equal(judged(report, orphan), 'orphan stack-process-reparented');
    t.match(
      (await orphand(host, ['scan', '--config', config])).stdout,
      new RegExp(`^⚠ ${port}/udp +\\S+ +held by orphan python3, PID ${orphan.pid}$`, 'm'),
    );

    const explained = await orphand(host, ['explain', '--json', `${port}`, '--config', config]);
    t.match(
      JSON.parse(explained.stdout) as Explanation[],
      exactly({
        port: { protocol: 'udp' },
        processes: exactly({
          cure: `orphand clean --ports ${port}`,
          blast: { ports: exactly(`${port}/udp`) },
        }),
      }),
    );
    const left = await orphand(host, ['preflight', '--no-clean', '--json', '--config', config]);
    t.match(JSON.parse(left.stdout) as PreflightReport, {
      ok: false,
      ports: exactly({ claim: 'free' }, { claim: 'orphan' }),
    });

    const cleaned = await clean(host, config, ['--ports', `${port}`]);
    t.match(cleaned, {
      code: 0,
      report: { ok: true, actions: exactly({ pid: orphan.pid, outcome: 'terminated' }) },
    });
    t.match(cleaned.report.ports, exactly({ port, state: 'free', freed: true }));
    t.notOk(lives(host, orphan));
    t.equal((await orphand(host, ['preflight', '--config', config])).code, 0);
  });
}

t.test('one that holds both is told once, and lets go of both', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const orphan = await startProcess(host, { ...server, ports: [port], udp: [port] });
  const config = writeConfig(host, {
    ports: [{ port, service: 'both' }],
    patterns,
    protocols: ['tcp', 'udp'],
  });
  const { stdout } = await orphand(host, ['scan', '--config', config]);
  t.match(stdout, `Found orphaned both process on port ${port}\n`);
  const explained = await orphand(host, ['explain', `${port}`, '--config', config]);
  t.match(explained.stdout, `Ports that would free: ${port}, ${port}/udp\n`);
  t.match(explained.stdout, new RegExp(`^\\S+ Port ${port}/udp \\(both\\) is held`, 'm'));
  const { code, report } = await clean(host, config);
  t.equal(code, 0);
  t.match(report.ports, exactly({ port, state: 'free', freed: true }));
  t.equal(report.ports.length, 1);
  t.notOk(lives(host, orphan));
});

t.test('a port of UDP only; who holds the same number on TCP is none of its business', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const stranger = await startProcess(host, {
    script: 'web.py',
    argv: ['/usr/bin/python3', 'SCRIPT'],
    ports: [port],
  });
  const config = writeConfig(host, { ports: [{ port, protocol: 'udp', service: 'dns' }], patterns });
  t.equal((await orphand(host, ['preflight', '--config', config])).code, 0);
  const other = await startProcess(host, {
    script: 'web.py',
    argv: ['/usr/bin/python3', 'SCRIPT'],
    udp: [port],
  });
  const { code, stdout } = await orphand(host, ['preflight', '--config', config]);
  t.equal(code, 1);
  t.match(stdout, `✗ ${port}/udp  dns  someone else's: held by host process python3, PID ${other.pid}.`);
  t.strictSame((await clean(host, config)).report.actions, []);
  t.ok(lives(host, stranger) && lives(host, other));
});

t.test('a container whose conmon is dead, on UDP', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  const { flags, command } = pythonServer({ udp: [port] });
  const container = await startContainer(podman, 'dns', flags, command);
  const config = writeConfig(host, { ports: [port], protocols: ['udp'] });
  await until('the socket', async () => await held(host, config));
  t.equal(judged((await scan(host, config)).report, container.init), 'container supervised');
  await killConmon(podman, container);
  t.equal(judged((await scan(host, config)).report, container.init), 'suspect supervisor-dead');
  const { code } = await clean(host, config, ['--suspects']);
  t.equal(code, 0);
  t.notOk(lives(host, container.init));
  t.notOk(await held(host, config));
});

async function held(host: Host, config: string): Promise<boolean> {
  return (await scan(host, config)).report.ports.some(({ state }) => state === 'held');
}
