import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  defaultDockerPlaces,
  DockerRecords,
  namedDockerPlace,
} from '../../../src/container/runtimes/docker-record.ts';
import { Host, rootUser } from '../../../src/container/runtimes/host.ts';
import { hexId, hostTree, unprivileged } from '../../helpers/host-tree.ts';

const id = hexId('a');
const layer = hexId('c');
const root = '/var/lib/docker';
const place = { user: rootUser, root };
const config = `${root}/containers/${id}/config.v2.json`;
const mountId = `${root}/image/overlay2/layerdb/mounts/${id}/mount-id`;
const record = (State: object): object => ({
  ID: id,
  Name: '/web',
  State,
  Config: { Labels: { a: 'b' } },
  RestartCount: 3,
});

const processes = [{ pid: 50, ppid: 1, cmdline: ['server'], cgroup: `/docker/${id}`, mnt: '5' }];

const cases: {
  name: string;
  files: Record<string, string | object>;
  wanted?: { id: string | undefined; layer: string | undefined };
  expected: object | undefined;
}[] = [
  {
    name: 'it runs',
    files: { [config]: record({ Running: true, Pid: 50 }) },
    expected: {
      result: 'known',
      id,
      state: 'running',
      pid: 50,
      name: 'web',
      labels: { a: 'b' },
      restartCount: 3,
    },
  },
  {
    name: 'the record of a killed dockerd says that it runs, and its process has ended',
    files: { [config]: record({ Running: true, Pid: 4000 }) },
    expected: { result: 'known', state: 'exited', pid: undefined },
  },
  {
    name: 'between two restarts',
    files: { [config]: record({ Running: true, Restarting: true, Pid: 0 }) },
    expected: { result: 'known', state: 'restarting', pid: undefined },
  },
  {
    name: 'found by its layer',
    files: { [config]: record({ Running: true, Pid: 50 }), [mountId]: `${layer}\n` },
    wanted: { id: undefined, layer },
    expected: { result: 'known', id, state: 'running' },
  },
  {
    name: 'no container has the layer',
    files: { [config]: record({ Running: true, Pid: 50 }), [mountId]: layer },
    wanted: { id: undefined, layer: hexId('e') },
    expected: { result: 'absent' },
  },
  {
    name: 'neither id nor layer is known',
    files: { [config]: record({ Running: true, Pid: 50 }) },
    wanted: { id: undefined, layer: undefined },
    expected: { result: 'silent' },
  },
  { name: 'removed', files: { [`${root}/containers/`]: '' }, expected: { result: 'absent' } },
  { name: 'no container ever', files: { [`${root}/`]: '' }, expected: { result: 'absent' } },
  { name: 'no data root', files: {}, expected: undefined },
  { name: 'a torn record', files: { [config]: '{"ID":' }, expected: { result: 'silent' } },
  { name: 'a record that is a directory', files: { [`${config}/`]: '' }, expected: { result: 'silent' } },
  {
    name: 'a mount-id that is a directory hides its layer',
    files: { [`${mountId}/`]: '' },
    wanted: { id: undefined, layer },
    expected: { result: 'silent' },
  },
];

for (const { name, files, wanted = { id, layer: undefined }, expected } of cases) {
  t.test(name, (t) => {
    const tree = hostTree(t, processes, files);
    const records = new DockerRecords(new Host(tree.root, {}), tree.proc);
    const answer = records.ask(place, wanted, [60]);
    if (expected === undefined) t.equal(answer, undefined);
    else t.match(answer, { runtime: 'docker', via: 'record', user: 'root', ...expected });
    t.end();
  });
}

t.test('a directory that may not be listed hides whether a record is there', (t) => {
  const tree = hostTree(t, processes, { [`${root}/containers/`]: '' });
  for (const closed of [`${root}/containers`, root]) {
    chmodSync(join(tree.root, closed), 0);
    const records = new DockerRecords(new Host(tree.root, {}), tree.proc);
    const answer = unprivileged(() => records.ask(place, { id, layer: undefined }, []));
    t.match(answer, { result: 'silent', reason: /EACCES/ }, closed);
  }
  t.end();
});

t.test('name and labels need no engine', (t) => {
  const tree = hostTree(t, processes, { [config]: record({ Running: false }) });
  const records = new DockerRecords(new Host(tree.root, {}), tree.proc);
  t.match(records.describe(place, { id, layer: undefined }), { name: 'web', labels: { a: 'b' } });
  t.equal(records.describe(place, { id: hexId('e'), layer: undefined }), undefined);
  t.end();
});

t.test('data roots: the configured one, the usual ones, those of remapped users, rootless ones', (t) => {
  const tree = hostTree(t, [], {
    '/etc/docker/daemon.json': { 'data-root': '/data/docker' },
    '/data/docker/100000.100000/': '',
    '/data/docker/overlay2/': '',
  });
  const alice = { name: 'alice', uid: 1000, gid: 1000, home: '/home/alice' };
  t.strictSame(
    defaultDockerPlaces(new Host(tree.root, {}), [alice]).map((each) => `${each.user.name} ${each.root}`),
    [
      'root /data/docker',
      'root /data/docker/100000.100000',
      'root /var/lib/docker',
      'root /var/snap/docker/common/var-lib-docker',
      'alice /home/alice/.local/share/docker',
    ],
  );
  t.end();
});

t.test('a daemon.json that is none configures nothing', (t) => {
  const tree = hostTree(t, [], { '/etc/docker/daemon.json': 'null' });
  t.equal(defaultDockerPlaces(new Host(tree.root, {}), [])[0]?.root, '/var/lib/docker');
  t.end();
});

t.test('a data root that a mount names is its user’s, if this host has it', (t) => {
  const tree = hostTree(t, [], {
    '/etc/passwd': 'alice:x:1000:1000::/home/alice:/bin/sh\n',
    '/home/alice/.local/share/docker/': '',
    '/srv/docker/': '',
  });
  const host = new Host(tree.root, {});
  const store = (path: string) => ({ root: path, driver: 'overlay2', runRoot: undefined, layer: undefined });
  t.equal(namedDockerPlace(host, store('/home/alice/.local/share/docker'))?.user.name, 'alice');
  t.equal(namedDockerPlace(host, store('/srv/docker'))?.user.name, 'root');
  t.equal(namedDockerPlace(host, store('/srv/none')), undefined);
  t.equal(namedDockerPlace(host, store('')), undefined);
  t.end();
});
