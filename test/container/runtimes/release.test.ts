import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Host } from '../../../src/container/runtimes/host.ts';
import { releaseContainer, type ReleaseRequest } from '../../../src/container/runtimes/release.ts';
import { hexId, hostTree, unprivileged } from '../../helpers/host-tree.ts';
import { needs } from '../../helpers/needs.ts';
import { exactly } from '../../helpers/exactly.ts';

const id = hexId('a');
const uid = process.getuid?.() ?? 0;

const cases: {
  name: string;
  runtime?: string;
  script?: string;
  store?: ReleaseRequest['store'];
  steps: string[];
  released: boolean;
  detail?: RegExp;
  calls?: string[];
}[] = [
  {
    name: 'stopped and removed',
    script: '[ "$2" != exists ]',
    steps: ['podman stop', 'podman rm'],
    released: true,
    calls: [`stop -t 3 ${id}`, `rm -f ${id}`, `container exists ${id}`],
  },
  {
    name: 'older podman needs rm twice',
    script:
      'case "$*" in rm*) echo x >>DIR/removed; [ $(wc -l <DIR/removed) = 2 ];; *exists*) [ ! -e DIR/removed ] || [ $(wc -l <DIR/removed) = 1 ];; esac',
    steps: ['podman stop', 'podman rm', 'podman rm'],
    released: true,
  },
  {
    name: 'it stays listed',
    script: '[ "$1" != rm ] || { echo "Error: busy" >&2; exit 2; }',
    steps: ['podman stop', 'podman rm', 'podman rm'],
    released: false,
    detail: /^Error: busy$/,
  },
  {
    name: 'podman can’t be asked whether it is gone',
    script: '[ "$2" != exists ] || exit 125',
    steps: ['podman stop', 'podman rm', 'podman rm'],
    released: false,
  },
  {
    name: 'docker',
    runtime: 'docker',
    script: '[ "$1" != ps ] || exit 0',
    steps: ['docker stop', 'docker rm'],
    released: true,
    calls: [`stop -t 3 ${id}`, `rm -f ${id}`, `ps --all --quiet --no-trunc --filter id=${id}`],
  },
  {
    name: 'a docker daemon that is not there removes nothing',
    runtime: 'docker',
    script: 'echo "Cannot connect" >&2; exit 1',
    steps: ['docker stop', 'docker rm', 'docker rm'],
    released: false,
    detail: /^Cannot connect$/,
  },
  { name: 'podman is not installed', steps: [], released: false, detail: /not installed/ },
  {
    name: 'a runtime that can’t be told',
    runtime: 'containerd',
    steps: [],
    released: false,
    detail: /can't be told/,
  },
  {
    name: 'of a store of somebody’s own podman is told',
    script: '[ "$6" != exists ]',
    store: { root: '/srv/s', driver: 'overlay', runRoot: '/srv/r', layer: undefined },
    steps: ['podman stop', 'podman rm'],
    released: true,
    calls: [
      `--root /srv/s --runroot /srv/r stop -t 3 ${id}`,
      `--root /srv/s --runroot /srv/r rm -f ${id}`,
      `--root /srv/s --runroot /srv/r container exists ${id}`,
    ],
  },
];

for (const { name, runtime = 'podman', script, store, steps, released, detail, calls } of cases) {
  t.test(name, async (t) => {
    const tree = hostTree(t, [], { '/srv/s/': '' });
    if (script !== undefined) {
      const text = `#!/bin/sh\necho "$@" >>${tree.root}/calls\n${script.replaceAll('DIR', tree.root)}\n`;
      tree.write(`/usr/bin/${runtime}`, text);
      chmodSync(join(tree.root, 'usr/bin', runtime), 0o755);
    }
    const request = { container: { runtime, id, name: 'web' }, uid, store, stopSeconds: 3 };
    const result = await releaseContainer(new Host(tree.root, {}), { timeoutMs: 10_000, env: {} }, request);
    t.strictSame(
      result.steps.map(({ signal }) => signal),
      steps,
    );
    t.equal(result.released, released);
    if (detail !== undefined) t.match(result.detail, detail);
    if (calls !== undefined)
      t.strictSame(readFileSync(join(tree.root, 'calls'), 'utf8').trim().split('\n'), calls);
  });
}

t.test('a rootless container is released as its owner', async (t) => {
  if (!needs(t, 'root')) return;
  const tree = hostTree(t, [], {
    '/etc/passwd': 'alice:x:4242:4343::/home/alice:/bin/sh\n',
    '/etc/subuid': 'alice:100000:65536\n',
    '/calls/': '',
  });
  chmodSync(tree.root, 0o755);
  chmodSync(join(tree.root, 'calls'), 0o777);
  tree.write(
    '/usr/bin/podman',
    `#!/bin/sh\necho $(id -u):$(id -g):$HOME:$XDG_RUNTIME_DIR >>${tree.root}/calls/x\n[ "$2" != exists ]\n`,
  );
  chmodSync(join(tree.root, 'usr/bin/podman'), 0o755);
  const request = { container: { runtime: 'podman', id, name: null }, uid: 100998, stopSeconds: 1 };
  const result = await releaseContainer(new Host(tree.root, {}), { timeoutMs: 10_000, env: {} }, request);
  t.ok(result.released);
  const calls = new Set(readFileSync(join(tree.root, 'calls/x'), 'utf8').trim().split('\n'));
  t.strictSame([...calls], ['4242:4343:/home/alice:/run/user/4242']);
});

t.test('nobody but root and the owner can release', async (t) => {
  const tree = hostTree(t, []);
  tree.write('/usr/bin/podman', '#!/bin/sh\n');
  chmodSync(join(tree.root, 'usr/bin/podman'), 0o755);
  const request = { container: { runtime: 'podman', id, name: null }, uid: 0, stopSeconds: 1 };
  const host = new Host(tree.root, {});
  const result = await unprivileged(() => releaseContainer(host, { timeoutMs: 10_000, env: {} }, request));
  t.match(result, { released: false, steps: exactly(), detail: /only root/ });
});
