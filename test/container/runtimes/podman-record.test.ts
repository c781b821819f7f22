import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Host, rootUser } from '../../../src/container/runtimes/host.ts';
import type { PodmanPlace } from '../../../src/container/runtimes/podman-places.ts';
import { PodmanRecords } from '../../../src/container/runtimes/podman-record.ts';
import { hexId, hostTree, unprivileged, type HostTree } from '../../helpers/host-tree.ts';

const id = hexId('a');
const layer = hexId('c');
const root = '/var/lib/containers/storage';
const list = `${root}/overlay-containers/containers.json`;
const userdata = `/run/containers/storage/overlay-containers/${id}/userdata`;
const entry = { id, names: ['web'], layer, metadata: '{}' };

const place: PodmanPlace = {
  user: rootUser,
  root,
  driver: undefined,
  runRoots: ['/run/containers/storage'],
  exitDirectories: ['/run/libpod/exits'],
  aliveFiles: [],
};
const processes = [
  { pid: 50, ppid: 1, cmdline: ['server'], cgroup: `/libpod_parent/libpod-${id}`, mnt: '5' },
  { pid: 51, ppid: 1, cmdline: ['cron'] },
];

const cases: {
  name: string;
  files: Record<string, string | object>;
  place?: Partial<PodmanPlace>;
  change?: (tree: HostTree) => void;
  wanted?: { id: string | undefined; layer: string | undefined };
  expected: object | undefined;
}[] = [
  {
    name: 'listed, and pidfile names a live process of its own',
    files: { [list]: [entry], [`${userdata}/pidfile`]: '50' },
    expected: { result: 'known', id, state: 'running', pid: 50, name: 'web', source: list },
  },
  {
    name: 'listed, and pidfile names a process that has ended',
    files: { [list]: [entry], [`${userdata}/pidfile`]: '4000' },
    expected: { result: 'known', state: 'exited', pid: undefined },
  },
  {
    name: 'listed, and pidfile names what is another process by now',
    files: { [list]: [entry], [`${userdata}/pidfile`]: '51' },
    expected: { result: 'known', state: 'exited', pid: undefined },
  },
  {
    name: 'listed, and pidfile names what can’t be looked at',
    files: { [list]: [entry], [`${userdata}/pidfile`]: '51' },
    change: (tree) => {
      rmSync(join(tree.root, 'proc/51/ns'), { recursive: true });
    },
    expected: { result: 'known', state: undefined, pid: undefined },
  },
  {
    name: 'listed, and pidfile is being written',
    files: { [list]: [entry], [`${userdata}/pidfile`]: '' },
    expected: { result: 'known', state: undefined, pid: undefined },
  },
  {
    name: 'listed, and pidfile is no file',
    files: { [list]: [entry], [`${userdata}/pidfile/`]: '' },
    expected: { result: 'known', state: undefined, pid: undefined },
  },
  {
    name: 'listed without a pidfile',
    files: { [list]: [entry] },
    expected: { result: 'known', state: 'created', pid: undefined },
  },
  {
    name: 'listed without a pidfile, and conmon left an exit code',
    files: { [list]: [entry], [`/run/libpod/exits/${id}`]: '0' },
    expected: { result: 'known', state: 'exited', pid: undefined },
  },
  {
    name: 'listed, and where its instance is recorded is not known',
    files: { [list]: [entry] },
    place: { runRoots: [] },
    expected: { result: 'known', state: undefined, name: 'web' },
  },
  {
    name: 'the current instance may be in any of the run roots',
    files: {
      [list]: [entry],
      [`/run/old/overlay-containers/${id}/userdata/pidfile`]: '4000',
      [`${userdata}/pidfile`]: '50',
    },
    place: { runRoots: ['/run/old', '/run/containers/storage'] },
    expected: { result: 'known', state: 'running', pid: 50 },
  },
  {
    name: 'found by its layer',
    files: { [list]: [entry], [`${userdata}/pidfile`]: '50' },
    wanted: { id: undefined, layer },
    expected: { result: 'known', id, state: 'running' },
  },
  {
    name: 'the id decides where it is known: the layer may be a pod’s or a nested one’s',
    files: { [list]: [entry] },
    wanted: { id: hexId('e'), layer },
    expected: { result: 'absent' },
  },
  {
    name: 'podman run --rm is in the volatile list',
    files: { [list]: [], [`${root}/overlay-containers/volatile-containers.json`]: [entry] },
    expected: { result: 'known', state: 'created' },
  },
  {
    name: 'a transient store has its list in the run root',
    files: { [list]: [], '/run/containers/storage/overlay-containers/volatile-containers.json': [entry] },
    expected: { result: 'known', state: 'created' },
  },
  {
    name: 'another driver’s list counts, too',
    files: { [list]: [], [`${root}/vfs-containers/containers.json`]: [entry] },
    expected: { result: 'known' },
  },
  {
    name: 'but not where the mount names the driver',
    files: { [list]: [], [`${root}/vfs-containers/containers.json`]: [entry] },
    place: { driver: 'overlay' },
    expected: { result: 'absent' },
  },
  { name: 'not listed', files: { [list]: [] }, expected: { result: 'absent' } },
  {
    name: 'a store that has never had a container',
    files: { [`${root}/overlay/`]: '' },
    expected: { result: 'absent' },
  },
  {
    name: 'not listed, but with a run root that is not known a transient list may be anywhere',
    files: { [list]: [] },
    place: { runRoots: [] },
    expected: { result: 'silent' },
  },
  { name: 'no store', files: {}, expected: undefined },
  { name: 'an empty list file is torn, not empty', files: { [list]: '' }, expected: { result: 'silent' } },
  { name: 'a torn list', files: { [list]: '[{"id":"' }, expected: { result: 'silent' } },
  { name: 'a list that is none', files: { [list]: '{}' }, expected: { result: 'silent' } },
  {
    name: 'a list with an entry that is none',
    files: { [list]: [{ names: ['x'] }] },
    expected: { result: 'silent' },
  },
  { name: 'a list with null in it', files: { [list]: '[null]' }, expected: { result: 'silent' } },
  { name: 'a list that is a directory', files: { [`${list}/`]: '' }, expected: { result: 'silent' } },
];

for (const { name, files, place: changed, change, wanted = { id, layer: undefined }, expected } of cases) {
  t.test(name, (t) => {
    const tree = hostTree(t, processes, files);
    change?.(tree);
    const records = new PodmanRecords(new Host(tree.root, {}), tree.proc);
    const answer = records.ask({ ...place, ...changed }, wanted, [60]);
    if (expected === undefined) t.equal(answer, undefined);
    else t.match(answer, { runtime: 'podman', via: 'record', user: 'root', ...expected });
    t.end();
  });
}

t.test('a store that may not be read is no empty one', (t) => {
  const tree = hostTree(t, processes, { [list]: [] });
  for (const closed of [list, `${root}/overlay-containers`, root]) {
    chmodSync(join(tree.root, closed), 0);
    const records = new PodmanRecords(new Host(tree.root, {}), tree.proc);
    const answer = unprivileged(() => records.ask(place, { id, layer: undefined }, []));
    t.match(answer, { result: 'silent', reason: /EACCES/ }, closed);
  }
  t.end();
});

t.test('a list is read once', (t) => {
  const tree = hostTree(t, processes, { [list]: [entry] });
  const records = new PodmanRecords(new Host(tree.root, {}), tree.proc);
  t.equal(records.name(place, { id, layer: undefined }), 'web');
  writeFileSync(join(tree.root, list), '[]');
  t.equal(records.name(place, { id, layer: undefined }), 'web');
  t.equal(records.name(place, { id: hexId('e'), layer: undefined }), undefined);
  t.end();
});

t.test('a container in the run root that no store lists has its store somewhere else', (t) => {
  const tree = hostTree(t, processes, { [list]: [], [`${userdata}/pidfile`]: '50' });
  const records = new PodmanRecords(new Host(tree.root, {}), tree.proc);
  t.match(records.askRunRoots(place, id, [60]), { result: 'known', state: 'running', pid: 50 });
  t.equal(records.askRunRoots(place, hexId('e'), [60]), undefined);
  t.end();
});
