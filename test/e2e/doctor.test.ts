import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { privateHost, type Host } from '../helpers/lab/host.ts';
import { orphand } from '../helpers/lab/orphand.ts';
import { loseAlive, rootPodman } from '../helpers/lab/podman.ts';
import type { RunOptions } from '../helpers/lab/run.ts';
import { addUser, rootlessPodman } from '../helpers/lab/rootless.ts';
import { stackServices, startStack } from '../helpers/lab/stack.ts';
import { systemdHost } from '../helpers/lab/systemd.ts';
import { needs } from '../helpers/needs.ts';
import { exactly } from '../helpers/exactly.ts';

async function doctor(host: Host, options: RunOptions = {}, before: readonly string[] = []) {
  const { code, stdout, stderr } = await host.run([...before, ...host.orphand, 'doctor', '--json'], options);
  try {
    const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
    const limits = findings.filter(({ level }) => level === 'limit');
    return { code, ok, findings, limits: limits.map(({ code: name }) => name).sort() };
  } catch {
    throw new Error(`exit ${code}\n${stdout}\n${stderr}`);
  }
}

t.test('privileges, hidepid, and a journal that can’t be written', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  t.match(await doctor(host), { code: 0, ok: true });
  t.match((await orphand(host, ['doctor'])).stdout, /✓ Nothing limits orphand here\n$/);
  await host.ok(['mount', '-o', 'remount,hidepid=2', '/proc']);
  t.match(await doctor(host), { code: 0, ok: true }, 'which root does not mind');
  const env = { ORPHAND_STATE_DIRECTORY: '/var/lib/orphand' };
  const asNobody = await doctor(host, { user: 'nobody', env });
  t.match(asNobody, { code: 1, ok: false, limits: exactly('hidepid', 'journal', 'unprivileged') });
  const { code, stdout } = await orphand(host, ['doctor'], { user: 'nobody', env });
  t.equal(code, 1);
  t.match(
    stdout,
    /^✗ unprivileged: runs as uid \d+ without CAP_SYS_PTRACE.*\n {4}Cure: sudo orphand doctor/m,
  );
  t.match(stdout, /✗ 3 limits to look at\n$/);
});

t.test('a podman that lost its alive file, and one that systemd-tmpfiles will take it from', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  await startStack(podman, [], [stackServices[0]]);
  t.match(await doctor(host), { code: 0 });
  mkdirSync(host.path('/etc/tmpfiles.d'), { recursive: true });
  writeFileSync(host.path('/etc/tmpfiles.d/x.conf'), 'd /run/libpod 0700 root root 10d\n');
  t.match(await doctor(host), { code: 1, limits: exactly('alive-aging') });
  writeFileSync(host.path('/etc/tmpfiles.d/podman-alive.conf'), 'x /run/libpod/alive*\n');
  t.match(await doctor(host), { code: 0 }, 'the cure that it names is one');
  await loseAlive(podman);
  t.match(await doctor(host), { code: 1, limits: exactly('alive-lost') });
  t.equal(
    await host.run(['test', '-e', '/run/libpod/alive']).then(({ code }) => code),
    1,
    'it did not call podman',
  );
});

t.test('an engine that does not answer', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  await startStack(podman, [], [stackServices[0]]);
  writeFileSync(host.path('/etc/containers/containers.conf'), '[engine]\nruntime = "nonsense"\n');
  const { code, limits, findings } = await doctor(host);
  t.match({ code, limits }, { code: 1, limits: exactly('runtime-silent') });
  t.match(
    findings.find((finding) => finding.code === 'runtime-silent')?.message,
    /^podman of root does not answer: /,
  );
});

t.test('on a host with systemd: linger, KillMode=none, units, a seccomp filter', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare', 'nspawn')) return;
  const host = await systemdHost(t);
  const first = await doctor(host);
  t.strictSame(first.limits, []);
  t.equal(first.code, 0);
  t.match(
    first.findings.find(({ code }) => code === 'units'),
    { level: 'note', cure: 'sudo orphand install' },
  );

  const user = await addUser(host);
  const rootless = await rootlessPodman(host, user);
  await startStack(rootless, [], [stackServices[0]]);
  const unit = '[Service]\nKillMode=none\nExecStart=/usr/bin/podman start local-ai-aidb\n';
  writeFileSync(host.path('/etc/systemd/system/old.service'), unit);
  writeFileSync(host.path('/etc/systemd/system/cured.service'), unit);
  mkdirSync(host.path('/etc/systemd/system/cured.service.d'));
  writeFileSync(host.path('/etc/systemd/system/cured.service.d/10-kill.conf'), '[Service]\nKillMode=mixed\n');
  writeFileSync(host.path('/etc/systemd/system/orphand.service'), '[Service]\nExecStart=/bin/true\n');
  const { code, limits, findings } = await doctor(host);
  t.match({ code, limits }, { code: 1, limits: exactly('kill-mode-none', 'no-linger', 'unit-disabled') });
  t.match(findings.find((finding) => finding.code === 'kill-mode-none')?.message, /^old\.service /);
  mkdirSync(host.path('/var/lib/systemd/linger'), { recursive: true });
  writeFileSync(host.path(`/var/lib/systemd/linger/${user.name}`), '');
  t.notOk((await doctor(host)).limits.includes('no-linger'));

  const filter = ['systemd-run', '--quiet', '--pipe', '--wait', '-p', 'SystemCallErrorNumber=EPERM'];
  const seccomp = await doctor(host, {}, [...filter, '-p', 'SystemCallFilter=~pidfd_open']);
  t.ok(seccomp.limits.includes('seccomp'), 'a filter that forbids pidfd_open');
});
