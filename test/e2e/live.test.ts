import t from 'tap';
import { writeConfig } from '../helpers/lab/config.ts';
import { hostKinds, openHost } from '../helpers/lab/hosts.ts';
import { clean, judged } from '../helpers/lab/orphand.ts';
import { loseAlive, rootPodman, startContainer, stateOf, type Podman } from '../helpers/lab/podman.ts';
import { lives, processRunning, readStat, treeOf } from '../helpers/lab/processes.ts';
import { addUser, rootlessPodman } from '../helpers/lab/rootless.ts';
import { httpd, pythonServer } from '../helpers/lab/server.ts';
import { served } from '../helpers/lab/serving.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';

const ports = {
  plain: 18091,
  pattern: 18092,
  hostPids: 18093,
  rootless: 18094,
  session: 18095,
  conmonless: 18096,
  runc: 18097,
  runcHostPids: 18098,
};

/** Containers of root's and of a user's, each of a kind that a careless check takes for dead. */
async function startContainers(podman: Podman, theirs: Podman) {
  const stack = pythonServer({ ports: [ports.pattern], workers: 2 }, ['--config', '/app/config.yaml']);
  return {
    'a container on a watched port': await startContainer(podman, 'plain', [], httpd(ports.plain)),
    'a container whose command matches a pattern': await startContainer(
      podman,
      'pattern',
      stack.flags,
      stack.command,
    ),
    'a container in the host pid namespace': await startContainer(
      podman,
      'pids',
      ['--pid=host'],
      httpd(ports.hostPids),
    ),
    'a rootless container': await startContainer(theirs, 'theirs', [], httpd(ports.rootless)),
  };
}

/** Servers started in running containers. One lost its own conmon, two never had one: their containers live. */
async function startSessions(podman: Podman) {
  const { host } = podman;
  await podman('exec', '-d', 'plain', ...httpd(ports.session));
  await podman('exec', '-d', 'plain', ...httpd(ports.conmonless));
  for (const [name, port] of [
    ['plain', ports.runc],
    ['pids', ports.runcHostPids],
  ] as const)
    await host.ok([
      ...['runc', 'exec', '-d', await podman('inspect', name, '--format', '{{.Id}}')],
      ...httpd(port),
    ]);
  const conmonless = await processRunning(host, httpd(ports.conmonless));
  await host.ok(['kill', '-KILL', `${readStat(host, conmonless.pid)?.ppid ?? 0}`]);
  await until('it to lose its parent', () => readStat(host, conmonless.pid)?.ppid === 1);
  return {
    'an exec session': await processRunning(host, httpd(ports.session)),
    'an exec session whose own conmon was killed': conmonless,
    "a session of runc's": await processRunning(host, httpd(ports.runc)),
    "a session of runc's in the host pid namespace": await processRunning(host, httpd(ports.runcHostPids)),
  };
}

for (const kind of hostKinds())
  t.test(`every live container lives on, even when podman lost track of it (${kind})`, async (t) => {
    if (!needs(t, 'root', 'podman', 'runc', 'unshare', 'nspawn')) return;
    const host = await openHost(t, kind);
    const podman = await rootPodman(host);
    const containers = await startContainers(podman, await rootlessPodman(host, await addUser(host)));
    const sessions = await startSessions(podman);
    await served(host, ...Object.values(ports));
    const inits = Object.entries(containers).map(([name, { init }]) => [name, init] as const);
    const alive = [...inits, ...Object.entries(sessions)];
    const workers = await treeOf(host, containers['a container whose command matches a pattern'].init.pid, 3);
    const config = writeConfig(host, {
      ports: Object.values(ports),
      patterns: ['server\\.py --config', 'httpd -f'],
      containers: { names: ['*'] },
    });

    const nothingHappens = async () => {
      for (const flags of [[], ['--suspects']]) {
        const { code, report } = await clean(host, config, flags);
        t.strictSame(report.actions, [], 'nothing is done');
        t.equal(code, 0, 'nothing is left to clean');
        for (const [name, one] of alive)
          t.match(
            judged(report.scan, one),
            /^container (supervised|runtime-lost-track)$/,
            `${name} is alive`,
          );
        t.equal(report.scan.summary.orphan + report.scan.summary.suspect + report.scan.summary.unknown, 0);
      }
    };
    await nothingHappens();
    await loseAlive(podman);
    // podman 4.3 says created, podman 5 exited.
    t.match(await stateOf(podman, 'plain'), /^(created|exited)$/, 'podman has lost track');
    await nothingHappens();

    const conmons = Object.values(containers).map(({ conmon }) => conmon);
    for (const one of [...alive.map(([, process]) => process), ...workers, ...conmons])
      t.ok(lives(host, one), `${one.pid} lives`);
    await served(host, ...Object.values(ports));
  });
