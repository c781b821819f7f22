import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { listContainers } from '../../../src/container/runtimes/listing.ts';
import { hexId, hostTree, type HostTree } from '../../helpers/host-tree.ts';
import type { FakeProcess } from '../../helpers/proc-tree.ts';
import { needs } from '../../helpers/needs.ts';
import { exactly } from '../../helpers/exactly.ts';

const [one, two] = [hexId('a'), hexId('b')];
const record = (id: string) => [{ id, names: ['web'], layer: 'l' }];
const inspect = (id: string) => JSON.stringify({ Id: id, Name: 'web', State: { Status: 'running', Pid: 7 } });

function program(tree: HostTree, name: string, script: string): void {
  tree.write(`/usr/bin/${name}`, `#!/bin/sh\n${script}\n`);
  chmodSync(join(tree.root, 'usr/bin', name), 0o755);
}

function list(tree: HostTree, env: NodeJS.ProcessEnv = {}) {
  return listContainers({ proc: tree.proc, hostRoot: tree.root, timeoutMs: 10_000, env });
}

const store = '/var/lib/containers/storage/overlay-containers/containers.json';

t.test('an engine without a container is not asked', async (t) => {
  if (!needs(t, 'root')) return;
  for (const files of [{}, { [store]: [] }] as Record<string, object>[]) {
    const tree = hostTree(t, [], files);
    program(tree, 'podman', `echo asked >>${tree.root}/calls`);
    program(tree, 'docker', `echo asked >>${tree.root}/calls`);
    t.same(await list(tree), { listed: [], silent: [] });
    t.equal(tree.read('/calls'), '');
  }
});

t.test('podman without its alive file is not asked: that makes it forget what runs', async (t) => {
  if (!needs(t, 'root')) return;
  const tree = hostTree(t, [], { [store]: record(one) });
  program(tree, 'podman', `echo asked >>${tree.root}/calls`);
  t.match(await list(tree), {
    listed: exactly(),
    silent: exactly({ runtime: 'podman', user: { name: 'root' }, reason: /alive/ }),
  });
  t.equal(tree.read('/calls'), '');
});

t.test('each user who has containers is asked, as that user', async (t) => {
  if (!needs(t, 'root')) return;
  const tree = hostTree(t, [], {
    '/etc/passwd':
      'root:x:0:0::/root:/bin/sh\nalice:x:4242:4343::/home/alice:/bin/sh\nbob:x:4244:4244::/home/bob:/bin/sh\n',
    [store]: record(one),
    '/run/libpod/alive': '',
    '/home/alice/.local/share/containers/storage/overlay-containers/containers.json': record(two),
    '/run/user/4242/libpod/tmp/alive': '',
  });
  program(
    tree,
    'podman',
    `case "$1:$(id -u)" in ps:0) echo ${one};; ps:4242) echo ${two};; container:0) echo '[${inspect(one)}]';; container:4242) echo '[${inspect(two)}]';; esac`,
  );
  const { listed, silent } = await list(tree);
  t.same(silent, []);
  t.strictSame(
    listed.map(({ engine, containers }) => [engine.user.name, containers.map(({ id }) => id)]),
    [
      ['root', [one]],
      ['alice', [two]],
    ],
  );
});

const answers: [name: string, script: string, want: object][] = [
  [
    'one that went between list and details takes no other with it',
    `case "$1" in ps) printf '${one}\\n${two}\\n';; *) echo '[${inspect(one)}]'; echo 'Error: no such container' >&2; exit 125;; esac`,
    { listed: [{ containers: [{ id: one }] }], silent: [] },
  ],
  [
    'an engine that fails is silent, by the last line that it says',
    'echo "time=x level=warning" >&2; echo "Error: database is locked" >&2; exit 125',
    { listed: [], silent: [{ reason: 'Error: database is locked' }] },
  ],
  [
    'an answer that is none is silence',
    `case "$1" in ps) echo ${one};; *) echo oops; echo gone >&2; exit 1;; esac`,
    { listed: [], silent: [{ reason: 'gone' }] },
  ],
];

// podman 4.3 in a crash loop; how often it has said so is in a file that the script's first line makes.
const ended = (times: number) =>
  `[ "$1" = ps ] && exec printf '${one}\\n${two}\\n'; cd "$(dirname "$0")" && echo x >>asked
[ $(wc -l <asked) -gt ${times} ] || { echo 'Error: read /proc/245/cgroup: no such process' >&2; exit 125; }
echo '[${inspect(one)},${inspect(two)}]'`;
answers.push(
  [
    'one that ends while podman reads its /proc entry is asked about again, and the others with it',
    ended(2),
    { listed: [{ containers: [{ id: one }, { id: two }] }], silent: [] },
  ],
  [
    'but not for ever',
    ended(1_000),
    { listed: [], silent: [{ reason: 'Error: read /proc/245/cgroup: no such process' }] },
  ],
);

for (const [name, script, want] of answers) {
  t.test(name, async (t) => {
    if (!needs(t, 'root')) return;
    const tree = hostTree(t, [], { [store]: record(one), '/run/libpod/alive': '' });
    program(tree, 'podman', script);
    const found = await list(tree);
    t.match(found, want);
    t.equal(found.listed.length + found.silent.length, 1);
  });
}

const dockerd = { pid: 50, ppid: 1, cmdline: ['/usr/bin/dockerd'] };

t.test('docker is asked where a daemon runs, or the environment names one', async (t) => {
  if (!needs(t, 'root')) return;
  const docker = (processes: FakeProcess[]): HostTree => {
    const tree = hostTree(t, processes, {
      '/etc/passwd': 'alice:x:4242:4343::/home/alice:/bin/sh\n',
      '/var/run/docker.sock': '',
      '/run/user/4242/docker.sock': '',
      '/calls/': '',
    });
    chmodSync(join(tree.root, 'calls'), 0o777);
    program(tree, 'docker', `echo "$(id -u) $DOCKER_HOST" >>${tree.root}/calls/x`);
    return tree;
  };
  const idle = docker([]);
  t.same(await list(idle), { listed: [], silent: [] }, 'a socket of systemd would start one');
  t.equal(idle.read('/calls/x'), '');
  await list(idle, { DOCKER_HOST: 'tcp://10.0.0.1:2375' });
  t.equal(idle.read('/calls/x'), '0 tcp://10.0.0.1:2375\n');

  const rootful = docker([dockerd]);
  t.match(await list(rootful), {
    listed: exactly({ engine: { runtime: 'docker', user: { name: 'root' } } }),
  });
  t.equal(rootful.read('/calls/x'), '0 \n');

  const rootless = docker([{ ...dockerd, uid: 4242 }]);
  t.match(await list(rootless), {
    listed: exactly({ engine: { runtime: 'docker', user: { name: 'alice' } } }),
  });
  t.equal(rootless.read('/calls/x'), '4242 unix:///run/user/4242/docker.sock\n');
});

t.test('docker with containers and without a daemon is silent, not empty', async (t) => {
  if (!needs(t, 'root')) return;
  const tree = hostTree(t, [], { [`/var/lib/docker/containers/${one}/config.v2.json`]: '{}' });
  program(tree, 'docker', 'exit 1');
  t.match(await list(tree), {
    listed: exactly(),
    silent: exactly({ runtime: 'docker', reason: 'its daemon does not run' }),
  });
});
