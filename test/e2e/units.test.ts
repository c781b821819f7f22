import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeConfig } from '../helpers/lab/config.ts';
import type { Host } from '../helpers/lab/host.ts';
import { clean, judged, outcome } from '../helpers/lab/orphand.ts';
import {
  currentLife,
  killConmon,
  makePodmanForget,
  rootPodman,
  type Container,
  type Podman,
} from '../helpers/lab/podman.ts';
import { lives, processOf, readStat, startProcess } from '../helpers/lab/processes.ts';
import { addUser, rootlessPodman, type User } from '../helpers/lab/rootless.ts';
import { httpd } from '../helpers/lab/server.ts';
import { served, serves } from '../helpers/lab/serving.ts';
import { startUnit, systemdHost } from '../helpers/lab/systemd.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';

const stack = ['python3', '-u', 'SCRIPT', '--config', '/app/config.yaml'];
const [orphanPort, otherPort, unitPort, leftPort] = [18891, 18892, 18893, 18894];
const config = (host: Host) =>
  writeConfig(host, {
    ports: [orphanPort, otherPort, unitPort, leftPort],
    patterns: ['server\\.py --config'],
  });

t.test('a process of an active systemd unit lives on, pattern or not', async (t) => {
  if (!needs(t, 'root', 'unshare', 'nspawn')) return;
  const host = await systemdHost(t);
  const orphan = await startProcess(host, { script: 'app/server.py', argv: stack, ports: [orphanPort] });
  const script = join(host.dir, 'app/server.py');
  const unit = async (name: string, port: number, more: string[], argv: string) => {
    const ready = join(host.dir, name);
    const lab = JSON.stringify({ ports: [port], ready }).replaceAll('"', '\\"');
    await startUnit(host, name, [`ExecStart=${argv}`, `Environment="LAB=${lab}"`, ...more]);
    await until(`${name} to serve`, () => existsSync(ready));
    const { pid } = JSON.parse(readFileSync(ready, 'utf8')) as { pid: number };
    return processOf(host, pid);
  };
  const python = `/usr/bin/python3 -u ${script}`;
  const server = await unit('aidb.service', unitPort, [], `${python} --config /app/config.yaml`);
  const forked = await unit(
    'forked.service',
    otherPort,
    ['Type=forking'],
    `/bin/sh -c '${python} --config /app/config.yaml >/dev/null 2>&1 & exit 0'`,
  );
  // What a unit left behind when it was stopped: systemd says "inactive", the process runs on.
  const left = await unit('left.service', leftPort, ['KillMode=none'], `${python} --config /app/config.yaml`);
  await host.ok(['systemctl', 'stop', 'left.service']);
  t.equal(readStat(host, forked.pid)?.ppid, 1, 'a forking unit looks like a reparented process');

  const { code, report } = await clean(host, config(host), ['--suspects', '--dry-run']);
  t.equal(judged(report.scan, server), 'host systemd-unit');
  t.equal(judged(report.scan, forked), 'host systemd-unit');
  t.equal(judged(report.scan, left), 'suspect unit-inactive');
  t.equal(judged(report.scan, orphan), 'orphan stack-process-reparented');
  t.equal(code, 1);
  t.equal(report.scan.processes.find(({ pid }) => pid === server.pid)?.unit, 'aidb.service');

  const first = await clean(host, config(host));
  t.notOk(lives(host, orphan), 'the orphan has gone');
  t.ok(lives(host, left), 'what a stopped unit left is kept');
  t.equal(first.code, 1);
  const second = await clean(host, config(host), ['--suspects']);
  t.notOk(lives(host, left), 'and ended with --suspects');
  t.equal(second.code, 0);
  for (const one of [server, forked]) {
    t.ok(lives(host, one), `${one.pid} lives`);
    t.equal(outcome(second.report, one), undefined);
  }
  t.ok((await serves(host, unitPort)) && (await serves(host, otherPort)), 'the units serve');
  t.equal(await host.ok(['systemctl', 'is-active', 'aidb.service', 'forked.service']), 'active\nactive');
});

t.test('a container that a unit runs lives on, as quadlet has it', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'nspawn')) return;
  const host = await systemdHost(t);
  const podman = await rootPodman(host);
  const run = [
    '/usr/bin/podman run --name quadlet -d --replace --cgroups=split --sdnotify=conmon --network host',
  ];
  await startUnit(host, 'quadlet.service', [
    ...['Type=notify', 'NotifyAccess=all', 'Delegate=yes', 'KillMode=mixed'],
    `ExecStart=${[...run, 'localhost/bb', ...httpd(unitPort)].join(' ')}`,
  ]);
  await served(host, unitPort);
  const { init, conmon } = await currentLife(podman, 'quadlet');
  t.match(readFileSync(host.path(`/proc/${init.pid}/cgroup`), 'utf8'), '/quadlet.service/libpod-payload-');
  const { code, report } = await clean(host, config(host), ['--suspects']);
  t.match(judged(report.scan, init), /^container /);
  t.strictSame(report.actions, []);
  t.equal(code, 0);
  t.ok(lives(host, init) && lives(host, conmon) && (await serves(host, unitPort)));
});

/** Runs a command as a transient unit of the user's manager, which takes over what the command leaves behind. */
const inUserManager = (host: Host, user: User, flags: string[], argv: string[]) =>
  host.ok(['systemd-run', '--user', '--quiet', '--collect', ...flags, '--', ...argv], {
    user: user.name,
    env: { XDG_RUNTIME_DIR: user.runtimeDir },
  });

async function startUserContainer(
  podman: Podman,
  user: User,
  name: string,
  port: number,
): Promise<Container> {
  const flags = ['-d', '--name', name, '--network', 'host'];
  await inUserManager(
    podman.host,
    user,
    ['--wait', '--property=KillMode=process'],
    [...['podman', 'run', ...flags, 'localhost/bb', ...httpd(port)]],
  );
  await served(podman.host, port);
  return currentLife(podman, name);
}

t.test("what systemd --user took over is judged like what pid 1 did: a user's containers", async (t) => {
  if (!needs(t, 'root', 'podman', 'nspawn')) return;
  const host = await systemdHost(t);
  const user = await addUser(host);
  await host.ok(['systemctl', 'start', `user@${user.uid}.service`]);
  const manager = Number(
    await host.ok(['systemctl', 'show', '--property=MainPID', '--value', `user@${user.uid}`]),
  );
  const podman = await rootlessPodman(host, user, 'systemd');
  const orphan = await startUserContainer(podman, user, 'orphan', orphanPort);
  await makePodmanForget(podman, orphan);
  const suspect = await startUserContainer(podman, user, 'suspect', otherPort);
  await killConmon(podman, suspect);
  const live = await startUserContainer(podman, user, 'live', unitPort);
  t.match(readFileSync(host.path(`/proc/${live.init.pid}/cgroup`), 'utf8'), `/user@${user.uid}.service/`);
  for (const { init } of [orphan, suspect])
    t.equal(readStat(host, init.pid)?.ppid, manager, 'systemd --user is its parent now');

  const { code, report } = await clean(host, config(host));
  t.equal(judged(report.scan, orphan.init), 'orphan container-gone');
  t.notOk(lives(host, orphan.init), 'the orphan has gone');
  t.equal(judged(report.scan, suspect.init), 'suspect supervisor-dead');
  t.ok(lives(host, suspect.init), 'the suspect is kept');
  t.equal(judged(report.scan, live.init), 'container supervised');
  t.ok(
    lives(host, live.init) && lives(host, live.conmon) && (await serves(host, unitPort)),
    'the live one lives',
  );
  t.equal(report.actions.length, 1);
  t.equal(code, 1);
});

t.test("what systemd --user took over is judged like what pid 1 did: a user's servers", async (t) => {
  if (!needs(t, 'root', 'nspawn')) return;
  const host = await systemdHost(t);
  const user = await addUser(host);
  await host.ok(['systemctl', 'start', `user@${user.uid}.service`]);
  const manager = Number(
    await host.ok(['systemctl', 'show', '--property=MainPID', '--value', `user@${user.uid}`]),
  );
  const script = join(host.dir, 'app/server.py');
  const orphan = await startProcess(host, { script: 'app/server.py', argv: stack, ports: [orphanPort] });
  const start = async (name: string, port: number, flags: string[], before: string[]) => {
    const ready = join(user.home, name);
    const lab = JSON.stringify({ ports: [port], ready });
    const server = ['/usr/bin/python3', '-u', script, '--config', 'x'];
    await inUserManager(
      host,
      user,
      [`--setenv=LAB=${lab}`, `--unit=${name}`, ...flags],
      [...before, ...server],
    );
    await until(`${name} to serve`, () => existsSync(host.path(ready)));
    return processOf(host, (JSON.parse(readFileSync(host.path(ready), 'utf8')) as { pid: number }).pid);
  };
  const unit = await start('aidb.service', unitPort, [], []);
  // A terminal of a desktop session: in a scope of its own, and what it started outlives it.
  const left = await start(
    'terminal.service',
    otherPort,
    ['--property=KillMode=process'],
    [...['systemd-run', '--user', '--scope', '--quiet', '--', 'setsid', '--fork']],
  );
  t.equal(await until('its parent to go', () => readStat(host, left.pid)?.ppid === manager), true);

  const { code, report } = await clean(host, config(host), ['--suspects']);
  t.equal(judged(report.scan, unit), 'host systemd-unit', "a unit of the user's");
  t.ok(lives(host, unit) && (await serves(host, unitPort)), 'lives and serves');
  t.equal(judged(report.scan, left), 'orphan stack-process-reparented', 'a server whose terminal has gone');
  t.equal(outcome(report, left), 'terminated');
  t.notOk(lives(host, left));
  t.notOk(lives(host, orphan));
  t.equal(code, 0);
});
