import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Runtimes } from '../../../src/container/runtimes/runtimes.ts';
import type { ContainerQuery, ViewOptions } from '../../../src/container/runtimes/answer.ts';
import type { ContainerStore, Provenance } from '../../../src/model.ts';
import { hexId, hostTree, podmanMounts, type HostTree } from '../../helpers/host-tree.ts';
import { exactly } from '../../helpers/exactly.ts';

const id = hexId('a');
const layer = hexId('c');
const root = '/var/lib/containers/storage';
const list = `${root}/overlay-containers/containers.json`;
const userdata = `/run/containers/storage/overlay-containers/${id}/userdata`;
const entry = { id, names: ['web'], layer };
const passwd = 'alice:x:1000:1000::/home/alice:/bin/sh\n';
const alices = '/home/alice/.local/share/containers/storage';
const usualStore: ContainerStore = { root, driver: 'overlay', runRoot: '/run/containers/storage', layer };

interface Case {
  name: string;
  files?: Record<string, string | object>;
  provenance?: Partial<Provenance>;
  nsPid?: number[];
  cgroup?: string;
  /** What `podman container exists` and `inspect` do. */
  podman?: string;
  options?: ViewOptions;
  expected: object;
  /** How often podman was run. */
  calls?: number;
}

const runs = { [list]: [entry], [`${userdata}/pidfile`]: '50', '/run/libpod/alive': '' };
const inspect = (status: string): string =>
  `[ "$2" = exists ] || echo '{"Id":"${id}","State":{"Status":"${status}","Pid":0},"Config":{"Labels":{"a":"b"}},"RestartCount":63}'`;

const cases: Case[] = [
  {
    name: 'root’s store has it, its process is this one',
    files: runs,
    expected: { state: 'running', pid: 50, name: 'web' },
  },
  {
    name: 'a record that does not list it is enough: nobody is asked',
    files: { [list]: [], '/run/libpod/alive': '' },
    podman: inspect('running'),
    expected: { state: 'absent' },
    calls: 0,
  },
  {
    name: 'a record that says exited is enough',
    files: { [list]: [entry], '/run/libpod/alive': '' },
    podman: inspect('running'),
    expected: { state: 'created' },
    calls: 0,
  },
  {
    name: 'a record that says running is checked with podman, whose word is the later one',
    files: runs,
    podman: inspect('created'),
    expected: { state: 'created', pid: 50, restartCount: 63 },
    calls: 2,
  },
  {
    name: 'without podman’s alive file nobody’s look may be podman’s first call since boot',
    files: { [list]: [entry], [`${userdata}/pidfile`]: '50' },
    podman: inspect('created'),
    expected: { state: 'running', pid: 50 },
    calls: 0,
  },
  {
    name: 'a supervised container’s name needs the record only',
    files: runs,
    podman: inspect('created'),
    options: { recordOnly: true },
    expected: { state: 'running', name: 'web' },
    calls: 0,
  },
  {
    name: 'labels are asked for where they are wanted',
    files: { [list]: [entry], '/run/libpod/alive': '' },
    podman: inspect('exited'),
    options: { labels: true },
    expected: { state: 'exited', labels: { a: 'b' } },
    calls: 2,
  },
  {
    name: 'a record that can’t be read, and podman does not know it',
    files: { [list]: '[', '/run/libpod/alive': '' },
    podman: 'exit 1',
    expected: { state: 'absent' },
    calls: 1,
  },
  {
    name: 'a record that can’t be read, and podman fails',
    files: { [list]: '[', '/run/libpod/alive': '' },
    podman: 'exit 125',
    expected: { state: 'silent' },
    calls: 1,
  },
  { name: 'no podman, no store, nothing of it on this host', expected: { state: 'not-installed' } },
  {
    name: 'podman is here and has no store: somebody’s own store may have it',
    files: { '/run/libpod/': '' },
    expected: { state: 'silent' },
  },
  {
    name: 'the store that the root mount names is the one that is asked',
    files: { [list]: [entry], '/srv/s/overlay-containers/containers.json': [] },
    provenance: { store: { ...usualStore, root: '/srv/s', runRoot: '/srv/r' } },
    expected: { state: 'absent' },
  },
  {
    name: 'a store that the root mount names and that is not here says nothing, whatever others say',
    files: { [list]: [] },
    provenance: { store: { ...usualStore, root: '/srv/s' } },
    expected: { state: 'silent', evidence: [{ value: /store is not on this host/ }] },
  },
  {
    name: 'without an id the layer finds it',
    files: runs,
    provenance: { id: undefined, via: 'rootfs', store: usualStore },
    expected: { state: 'running', name: 'web' },
  },
  {
    name: 'with neither id nor layer nobody can be asked',
    files: { [list]: [] },
    provenance: { id: undefined, via: 'rootfs', store: { ...usualStore, root: '', layer: undefined } },
    expected: { state: 'silent' },
  },
  {
    name: 'a run root that belongs to no known store: its podman was not asked',
    files: { [list]: [] },
    provenance: {
      via: 'rootfs',
      store: { root: '', driver: 'overlay', runRoot: '/srv/run', layer: undefined },
    },
    expected: { state: 'silent' },
  },
  {
    name: 'in a usual run root, but listed by no store: it has not gone',
    files: { [list]: [], [`${userdata}/pidfile`]: '50' },
    expected: { state: 'running', pid: 50 },
  },
  {
    name: 'a rootless owner’s store is asked, too',
    files: {
      '/etc/passwd': passwd,
      [list]: [],
      [`${alices}/overlay-containers/containers.json`]: [entry],
      '/run/user/1000/containers/x': '',
    },
    cgroup: `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope`,
    expected: { state: 'created', name: 'web' },
  },
  {
    name: 'a rootless owner’s store that can’t be read is no answer',
    files: { '/etc/passwd': passwd, [list]: [], [`${alices}/overlay-containers/containers.json`]: '' },
    cgroup: `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id}.scope`,
    expected: { state: 'silent' },
  },
  {
    name: 'an owner without an account can’t be asked',
    files: { [list]: [] },
    cgroup: `/user.slice/user-5000.slice/user@5000.service/user.slice/libpod-${id}.scope`,
    expected: { state: 'silent' },
  },
  {
    name: 'a container in a container is not this host’s to know',
    files: { [list]: [] },
    nsPid: [50, 7, 1],
    expected: { state: 'silent' },
  },
  {
    name: 'podman’s cgroup with docker’s store is a docker in a container',
    files: { [list]: [], '/var/lib/docker/containers/': '' },
    provenance: { store: { root: '/var/lib/docker', driver: 'overlay2', runRoot: undefined, layer } },
    expected: { state: 'silent' },
  },
  {
    name: 'docker’s record',
    files: {
      [`/var/lib/docker/containers/${id}/config.v2.json`]: {
        ID: id,
        Name: '/web',
        State: { Running: false, StartedAt: '2026' },
      },
    },
    provenance: { runtime: 'docker' },
    expected: { state: 'exited', name: 'web' },
  },
  {
    name: 'docker’s record has it no more',
    files: { '/var/lib/docker/containers/': '' },
    provenance: { runtime: 'docker' },
    expected: { state: 'absent' },
  },
  { name: 'no docker on this host', provenance: { runtime: 'docker' }, expected: { state: 'not-installed' } },
  {
    name: 'a cgroup that does not say whose it is: podman knows it',
    files: runs,
    provenance: { runtime: 'unknown' },
    expected: { state: 'running', name: 'web' },
  },
  {
    name: 'a cgroup that does not say whose it is, and nobody who is asked knows it',
    files: { [list]: [], '/var/lib/docker/containers/': '' },
    provenance: { runtime: 'kubernetes-unknown' },
    expected: { state: 'silent' },
  },
  {
    name: 'a nameless runtime on a bare host',
    provenance: { runtime: 'garden' },
    expected: { state: 'silent' },
  },
  {
    name: 'containerd, which can’t be asked',
    files: { '/run/containerd/': '' },
    provenance: { runtime: 'containerd' },
    expected: { state: 'silent' },
  },
  {
    name: 'no containerd on this host',
    provenance: { runtime: 'containerd' },
    expected: { state: 'not-installed' },
  },
  {
    name: 'a machine that machined knows',
    files: { '/run/systemd/machines/web': 'LEADER=50\n' },
    provenance: { runtime: 'nspawn', id: 'web' },
    expected: { state: 'running', pid: 50, name: 'web' },
  },
  {
    name: 'a machine that was not registered',
    files: { '/run/systemd/machines/': '' },
    provenance: { runtime: 'nspawn', id: 'web' },
    expected: { state: 'silent' },
  },
];

function build(t: Parameters<typeof hostTree>[0], each: Case): HostTree {
  const { files = {}, cgroup = `/libpod_parent/libpod-${id}`, nsPid = [50, 1] } = each;
  const tree = hostTree(
    t,
    [
      {
        pid: 50,
        ppid: 1,
        cmdline: ['server'],
        cgroup,
        mnt: '5',
        mountinfo: podmanMounts(root, layer),
        nsPid,
      },
    ],
    files,
  );
  writeFileSync(join(tree.root, 'proc/50/uid_map'), '0 0 4294967295\n');
  writeFileSync(join(tree.root, 'proc/1/uid_map'), '0 0 4294967295\n');
  mkdirSync(join(tree.root, 'proc/self/ns'), { recursive: true });
  symlinkSync('mnt:[4026531841]', join(tree.root, 'proc/self/ns/mnt'));
  if (each.podman !== undefined) {
    tree.write('/usr/bin/podman', `#!/bin/sh\necho >>${tree.root}/calls\n${each.podman}\n`);
    chmodSync(join(tree.root, 'usr/bin/podman'), 0o755);
  }
  return tree;
}

function query(provenance: Partial<Provenance> = {}): ContainerQuery {
  return {
    provenance: { runtime: 'podman', id, via: 'cgroup', store: undefined, evidence: [], ...provenance },
    uid: 0,
    pids: [50, 1],
  };
}

for (const each of cases) {
  // The command line of root's podman is run as root.
  const skip = (each.calls ?? 0) > 0 && process.getuid?.() !== 0 && 'needs root';
  t.test(each.name, { skip }, async (t) => {
    const tree = build(t, each);
    const runtimes = new Runtimes({
      proc: tree.proc,
      timeoutMs: 10_000,
      cli: true,
      hostRoot: tree.root,
      env: {},
    });
    const view = await runtimes.view(query(each.provenance), each.options);
    t.match(view, each.expected);
    if (each.calls !== undefined) {
      const calls = tree.read('/calls');
      t.equal(calls.length, each.calls, 'calls of podman');
    }
  });
}

t.test('names come from records alone', (t) => {
  const docker = hexId('d');
  const tree = build(t, {
    name: '',
    files: {
      [list]: [entry],
      [`/var/lib/docker/containers/${docker}/config.v2.json`]: {
        ID: docker,
        Name: '/db',
        State: {},
        Config: { Labels: { a: 'b' } },
      },
    },
    expected: {},
  });
  const runtimes = new Runtimes({ proc: tree.proc, timeoutMs: 1, cli: false, hostRoot: tree.root, env: {} });
  const names = (provenance: Partial<Provenance>) => runtimes.names(query(provenance).provenance);
  t.strictSame(names({}), { name: 'web', labels: {} });
  t.strictSame(names({ id: hexId('e') }), { name: undefined, labels: {} });
  t.strictSame(names({ id: undefined, store: usualStore }), { name: 'web', labels: {} });
  t.strictSame(names({ runtime: 'docker', id: docker }), { name: 'db', labels: { a: 'b' } });
  t.strictSame(names({ runtime: 'unknown', id: docker }), { name: 'db', labels: { a: 'b' } });
  t.strictSame(names({ runtime: 'lxc', id: 'p1' }), { name: 'p1', labels: {} });
  t.end();
});

t.test('statuses say who is here and who did not answer', async (t) => {
  const tree = build(t, { name: '', files: { [list]: [], '/var/lib/docker/containers/': '' }, expected: {} });
  const make = (): Runtimes =>
    new Runtimes({ proc: tree.proc, timeoutMs: 1_000, cli: false, hostRoot: tree.root, env: {} });
  const idle = make().statuses();
  t.match(
    idle,
    exactly(
      { name: 'podman', user: 'root', available: true },
      { name: 'docker', user: 'root', available: true },
    ),
  );
  tree.write(list, '[');
  const asked = make();
  await asked.view(query());
  t.match(asked.statuses()[0], {
    name: 'podman',
    user: 'root',
    available: false,
    reason: /containers\.json: malformed/,
  });
});

t.test('on a host without runtimes there is no status', (t) => {
  const tree = build(t, { name: '', expected: {} });
  const runtimes = new Runtimes({ proc: tree.proc, timeoutMs: 1, cli: false, hostRoot: tree.root, env: {} });
  t.strictSame(runtimes.statuses(), []);
  t.end();
});
