import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ContainerQuery } from '../../../src/container/runtimes/answer.ts';
import { Host } from '../../../src/container/runtimes/host.ts';
import { ownersOf } from '../../../src/container/runtimes/owners.ts';
import type { ContainerStore, Supervisor } from '../../../src/model.ts';
import { hexId, hostTree } from '../../helpers/host-tree.ts';

const files = {
  '/etc/passwd':
    'alice:x:1000:1000::/home/alice:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\npostgres:x:999:999::/var/lib/pg:/bin/sh\n',
  '/etc/subuid': 'alice:100000:65536\nbob:165536:65536\ncontainers:2147483647:65536\n',
};
const noStore: ContainerStore = { root: '', driver: undefined, runRoot: undefined, layer: undefined };

const cases: {
  name: string;
  uid?: number;
  cgroup?: string;
  evidence?: string;
  store?: Partial<ContainerStore>;
  supervisor?: number;
  /** User namespace and its map; without them the process is in the host's. */
  userns?: { name: string | undefined; map: string };
  users: string[];
  unknown?: number[];
}[] = [
  { name: 'root’s container has no other owner', users: [] },
  { name: 'in the host’s user namespace a uid is the image’s choice', uid: 1000, users: [] },
  {
    name: 'the store lies in a home',
    store: { root: '/home/alice/.local/share/containers/storage' },
    users: ['alice'],
  },
  {
    name: 'the run root lies in a user’s run-time directory',
    store: { runRoot: '/run/user/1001/containers' },
    users: ['bob'],
  },
  {
    name: 'the cgroup is a user’s',
    cgroup: '/user.slice/user-1000.slice/user@1000.service/user.slice/x.scope',
    users: ['alice'],
  },
  { name: 'the evidence names a user’s cgroup', evidence: '/user.slice/user-1001.slice/x', users: ['bob'] },
  {
    name: 'a cgroup’s user without an account can’t be asked',
    cgroup: '/user.slice/user-5000.slice/x',
    users: [],
    unknown: [5000],
  },
  { name: 'the supervisor is a user’s', supervisor: 1001, users: ['bob'] },
  {
    name: 'a rootless user namespace is made of its owner and a subordinate range',
    uid: 100998,
    userns: { name: 'user:[8]', map: '         0       1000          1\n         1     100000      65536\n' },
    users: ['alice'],
  },
  {
    name: 'with --userns=keep-id too',
    uid: 1000,
    userns: { name: 'user:[8]', map: '0 100000 1000\n1000 1000 1\n1001 101000 64536\n' },
    users: ['alice'],
  },
  {
    name: 'rootful --userns=auto uses a range of an account that does not exist: root’s',
    uid: 2147483647,
    userns: { name: 'user:[8]', map: '0 2147483647 1024\n' },
    users: [],
  },
  {
    name: 'a user namespace of nobody’s range belongs to somebody who can’t be found',
    uid: 700000,
    userns: { name: 'user:[8]', map: '0 700000 65536\n' },
    users: [],
    unknown: [700000],
  },
  {
    name: 'where the host itself is a user namespace, being in it says nothing',
    uid: 12345,
    userns: { name: 'user:[1]', map: '0 12345 65536\n' },
    users: [],
  },
  {
    name: 'without access to the namespace, its map tells that it is the host’s',
    uid: 999,
    userns: { name: undefined, map: '         0          0 4294967295\n' },
    users: [],
  },
];

for (const each of cases) {
  t.test(each.name, (t) => {
    const { uid = 0, cgroup = '/', evidence, store, supervisor, userns, users, unknown = [] } = each;
    const tree = hostTree(
      t,
      [
        { pid: 50, ppid: 1, cmdline: ['server'], cgroup, uid },
        { pid: 40, ppid: 1, cmdline: ['conmon'], uid: supervisor ?? 0 },
      ],
      files,
    );
    const { name = userns === undefined ? 'user:[1]' : undefined, map = '0 0 4294967295\n' } = userns ?? {};
    writeFileSync(join(tree.root, 'proc/50/uid_map'), map);
    writeFileSync(join(tree.root, 'proc/1/uid_map'), '         0          0 4294967295\n');
    mkdirSync(join(tree.root, 'proc/50/ns'), { recursive: true });
    if (name !== undefined) symlinkSync(name, join(tree.root, 'proc/50/ns/user'));
    symlinkSync('user:[1]', join(tree.root, 'proc/1/ns/user'));
    const query: ContainerQuery = {
      provenance: {
        runtime: 'podman',
        id: hexId('a'),
        via: 'cgroup',
        store: store === undefined ? undefined : { ...noStore, ...store },
        evidence: evidence === undefined ? [] : [{ fact: 'x', value: evidence, source: 'x' }],
      },
      uid,
      pids: [50],
    };
    if (supervisor !== undefined) {
      const conmon: Supervisor = {
        pid: 40,
        comm: 'conmon',
        startTime: 1,
        containerId: undefined,
        exec: false,
        superseded: undefined,
      };
      query.supervisor = conmon;
    }
    const found = ownersOf(new Host(tree.root, {}), tree.proc, query);
    t.strictSame(
      found.users.map((user) => user.name),
      users,
    );
    t.strictSame(found.unknown, unknown);
    t.end();
  });
}
