import { writeFileSync } from 'node:fs';
import t from 'tap';
import type { PreflightReport } from '../../src/cli/preflight.ts';
import { privateHost, type Host } from '../helpers/lab/host.ts';
import { orphand } from '../helpers/lab/orphand.ts';
import { killConmon, makePodmanForget, rootPodman, startContainer } from '../helpers/lab/podman.ts';
import { lives, startOrphan, startProcess } from '../helpers/lab/processes.ts';
import { httpd } from '../helpers/lab/server.ts';
import { served } from '../helpers/lab/serving.ts';
import { stackServices, startStack } from '../helpers/lab/stack.ts';
import { systemdHost } from '../helpers/lab/systemd.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';
import { exactly } from '../helpers/exactly.ts';

const command = ['--', 'echo', 'started'];

async function claims(host: Host, ...args: string[]) {
  const { code, stdout } = await orphand(host, ['preflight', '--json', ...args]);
  const report = JSON.parse(stdout) as PreflightReport;
  const held = report.ports.filter(({ claim }) => claim !== 'free');
  return { code, report, held: Object.fromEntries(held.map(({ port, claim }) => [port, claim])) };
}

t.test('the stack’s own live containers are told from all else', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  const stack = await startStack(podman);
  const { code, held } = await claims(host);
  t.strictSame(held, { 3001: 'stack', 6333: 'stack', 8091: 'stack' });
  t.equal(code, 1);
  const plain = await orphand(host, ['preflight', ...command]);
  t.equal(plain.code, 1);
  t.match(plain.stderr, 'ℹ The stack runs: orphand stop ends it, --allow-live goes on beside it\n');
  const allowed = await orphand(host, ['preflight', '--allow-live', ...command]);
  t.match(allowed, { code: 0, stdout: 'started\n' });
  t.match(
    allowed.stderr,
    `✓ 8091  aidb-http   a live container of the stack: held by live container local-ai-aidb`,
  );

  const other = await startContainer(podman, 'other', [], httpd(8080));
  await served(host, 8080);
  const beside = await claims(host, '--allow-live');
  t.match(beside, { code: 1, held: { 8080: 'other', 8091: 'stack' } });
  t.match(
    await claims(host, '--allow-live', '--ports', '8091,3001'),
    { code: 0 },
    '--ports leaves the rest out',
  );
  t.ok(
    [...stack, other].every(({ init }) => lives(host, init)),
    'all live on',
  );
});

t.test('orphans are cleaned up before the command starts; --no-clean leaves them', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  const [orphan] = await startStack(podman, [], [stackServices[2]]);
  await makePodmanForget(podman, orphan!);
  const left = await claims(host, '--no-clean');
  t.match(left, { code: 1, held: { 6333: 'orphan' } });
  t.equal(left.report.cleanup, null);
  t.ok(lives(host, orphan!.init));
  const off = await orphand(host, ['preflight', ...command], { env: { ORPHAND_PREFLIGHT_CLEAN: 'off' } });
  t.match(off, { code: 1, stdout: '' });
  t.match(off.stderr, 'To free it: orphand clean --ports 6333\n');

  const { code, stdout, stderr } = await orphand(host, ['preflight', ...command]);
  t.equal(code, 0, stderr);
  t.equal(stdout, 'started\n');
  t.match(stderr, `✓ Killed orphaned process ${orphan!.init.pid} (httpd): `);
  t.notOk(lives(host, orphan!.init));
});

t.test('a suspect is left, unless the configuration says otherwise', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  const [suspect] = await startStack(podman, [], [stackServices[0]]);
  await killConmon(podman, suspect!);
  t.match(await claims(host), { code: 1, held: { 8091: 'suspect' } });
  t.ok(lives(host, suspect!.init));
  const env = { ORPHAND_PREFLIGHT_CLEAN: 'suspects' };
  t.match(await orphand(host, ['preflight', ...command], { env }), { code: 0, stdout: 'started\n' });
  t.notOk(lives(host, suspect!.init));
});

t.test('--wait waits for a container that is stopping', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  // busybox's httpd as a pid 1 does not end by SIGTERM, so that podman waits before it kills.
  const [container] = await startStack(podman, [], [stackServices[0]]);
  const stopping = podman('stop', '-t', '4', container!.name);
  t.match(await claims(host), { code: 1, held: { 8091: 'stack' } });
  t.match(await claims(host, '--wait', '1m'), {
    code: 0,
    held: {},
    report: { cleanup: { actions: exactly() } },
  });
  await stopping;
});

t.test('a user without root is told that the holder could not be seen', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const stranger = await startProcess(host, {
    script: 'other/web.py',
    argv: ['/usr/bin/python3', 'SCRIPT'],
    ports: [8080],
  });
  const { code, stdout } = await orphand(host, ['preflight'], { user: 'nobody' });
  t.equal(code, 1);
  t.match(
    stdout,
    'not to be told: held by a process that could not be seen. To free it: run with sudo to see who\n',
  );
  t.ok(lives(host, stranger));
});

t.test('as ExecStartPre= it clears the way, as ExecStart= it is the service', async (t) => {
  if (!needs(t, 'root', 'unshare', 'nspawn')) return;
  const host = await systemdHost(t);
  const [node, bin] = host.orphand;
  const orphan = await startOrphan(host);
  const server = 'busybox httpd -f -p 8091 -h /usr/share';
  const unit = (name: string, lines: string[]) => {
    writeFileSync(host.path(`/etc/systemd/system/${name}`), ['[Service]', ...lines, ''].join('\n'));
  };
  unit('pre.service', [`ExecStartPre=${node} ${bin} preflight --ports 8091`, `ExecStart=${server}`]);
  unit('exec.service', [`ExecStart=${node} ${bin} preflight --ports 8091 -- ${server}`]);
  await host.ok(['systemctl', 'daemon-reload']);
  await host.ok(['systemctl', 'start', 'pre']);
  t.notOk(lives(host, orphan), 'the orphan has gone');
  t.ok(await isActive(host, 'pre', 'active'));
  await host.run(['systemctl', 'start', 'exec']);
  await until('exec.service to fail', () => isActive(host, 'exec', 'failed'));
  t.match(
    (await host.run(['journalctl', '-u', 'exec', '--no-pager', '-o', 'cat'])).stdout,
    /someone else's: held by pre\.service \(busybox\)/,
    'while the other one serves',
  );
  await host.ok(['systemctl', 'stop', 'pre']);
  await host.ok(['systemctl', 'restart', 'exec']);
  // The main process is the server itself.
  await until('the server', async () => (await mainComm(host, 'exec')) === 'busybox');
  await host.ok(['systemctl', 'stop', 'exec']);
  t.ok(await isActive(host, 'exec', 'inactive'), 'a SIGTERM ends it as it would without orphand');
});

async function isActive(host: Host, unit: string, state: string): Promise<boolean> {
  return (await host.run(['systemctl', 'is-active', unit])).stdout.trim() === state;
}

/** The name of a unit's main process. */
async function mainComm(host: Host, unit: string): Promise<string> {
  const pid = await host.ok(['systemctl', 'show', unit, '--property=MainPID', '--value']);
  return (await host.run(['cat', `/proc/${pid}/comm`])).stdout.trim();
}
