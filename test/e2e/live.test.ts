import t from 'tap';
import { writeConfig } from '../helpers/lab/config.ts';
import { hostKinds, openHost } from '../helpers/lab/hosts.ts';
import { clean, judged } from '../helpers/lab/orphand.ts';
import { loseAlive, rootPodman, startContainer, stateOf } from '../helpers/lab/podman.ts';
import { lives, pidsOf, processOf, readCmdline, treeOf } from '../helpers/lab/processes.ts';
import { addUser, rootlessPodman } from '../helpers/lab/rootless.ts';
import { httpd, pythonServer } from '../helpers/lab/server.ts';
import { served } from '../helpers/lab/serving.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';

const [plain, pattern, execed, onHostPids, rootless] = [18091, 18092, 18093, 18094, 18095];

for (const kind of hostKinds())
  t.test(`every live container lives on, even when podman lost track of it (${kind})`, async (t) => {
    if (!needs(t, 'root', 'podman', 'runc', 'unshare', 'nspawn')) return;
    const host = await openHost(t, kind);
    const podman = await rootPodman(host);
    const stack = pythonServer({ ports: [pattern], workers: 2 }, ['--config', '/app/config.yaml']);
    const containers = {
      'a container on a watched port': await startContainer(podman, 'plain', [], httpd(plain)),
      'a container whose command matches a pattern': await startContainer(
        podman,
        'pattern',
        stack.flags,
        stack.command,
      ),
      'a container with podman exec children': await startContainer(podman, 'execed', [], ['sleep', '1000']),
      'a container in the host pid namespace': await startContainer(
        podman,
        'pids',
        ['--pid=host'],
        httpd(onHostPids),
      ),
    };
    await podman('exec', '-d', 'execed', ...httpd(execed));
    const user = await addUser(host);
    const theirs = await rootlessPodman(host, user);
    const own = { 'a rootless container': await startContainer(theirs, 'theirs', [], httpd(rootless)) };
    await served(host, plain, pattern, execed, onHostPids, rootless);

    const execServer = await until('the exec session', () =>
      pidsOf(host).find(
        (pid) => readCmdline(host, pid).includes(`${execed}`) && readCmdline(host, pid)[0] === 'httpd',
      ),
    );
    const conmons = Object.values({ ...containers, ...own }).map(({ conmon }) => conmon);
    const workers = await treeOf(host, containers['a container whose command matches a pattern'].init.pid, 3);
    const all = [processOf(host, execServer), ...workers, ...conmons];
    const everything = [...all, ...Object.values({ ...containers, ...own }).map(({ init }) => init)];
    const config = writeConfig(host, {
      ports: [plain, pattern, execed, onHostPids, rootless],
      patterns: ['server\\.py --config', 'httpd -f'],
      containers: { names: ['*'] },
    });

    for (const flags of [[], ['--suspects']]) {
      const { code, report } = await clean(host, config, flags);
      t.strictSame(report.actions, [], 'nothing is done');
      t.equal(code, 0, 'nothing is left to clean');
      for (const [name, { init }] of Object.entries({ ...containers, ...own }))
        t.equal(judged(report.scan, init), 'container supervised', `${name} is supervised`);
      t.equal(
        judged(report.scan, processOf(host, execServer)),
        'container supervised',
        'an exec session is supervised',
      );
    }

    await loseAlive(podman);
    t.equal(await stateOf(podman, 'plain'), 'created', 'podman has lost track');
    for (const flags of [[], ['--suspects']]) {
      const { code, report } = await clean(host, config, flags);
      t.strictSame(report.actions, [], 'nothing is done to what podman lost track of');
      t.equal(code, 0, 'and nothing counts as left to clean');
      for (const [name, { init }] of Object.entries(containers))
        t.match(judged(report.scan, init), /^container /, `${name} that podman lost track of is alive`);
    }
    for (const one of everything) t.ok(lives(host, one), `${one.pid} lives`);
    await served(host, plain, pattern, execed, onHostPids, rootless);
  });
