import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { recordedPid, type RecordedPid } from '../../../src/container/runtimes/instance.ts';
import { hexId, hostTree, podmanMounts, stateZ, type HostTree } from '../../helpers/host-tree.ts';
import type { FakeProcess } from '../../helpers/proc-tree.ts';

const id = hexId('a');
const other = hexId('b');
const layer = hexId('c');
const mnt = '4026532000';
const store = '/var/lib/containers/storage';

/** Pid 50 is the recorded one, pid 60 the one that was asked about, in an instance of the container. */
const asked: FakeProcess = { pid: 60, ppid: 1, cmdline: ['worker'], mnt };

const cases: {
  name: string;
  recorded?: Partial<FakeProcess>;
  parent?: FakeProcess;
  layer?: string;
  change?: (tree: HostTree) => void;
  expected: RecordedPid;
}[] = [
  {
    name: 'its cgroup names the container',
    recorded: { cgroup: `/machine.slice/libpod-${id}.scope`, mnt: '5' },
    expected: 'alive',
  },
  { name: 'it sees the mounts of the process that was asked about', recorded: { mnt }, expected: 'alive' },
  {
    name: 'its .containerenv names the container',
    recorded: { mnt: '5', mountinfo: podmanMounts(store, other, '/run/x', id) },
    expected: 'alive',
  },
  {
    name: 'its root is the container’s layer',
    recorded: { mnt: '5', mountinfo: podmanMounts(store, layer) },
    layer,
    expected: 'alive',
  },
  {
    name: 'its parent is the container’s conmon, whatever else it shows',
    recorded: { ppid: 55 },
    parent: { pid: 55, ppid: 1, cmdline: ['/usr/bin/conmon', '-c', id] },
    expected: 'alive',
  },
  { name: 'it is a process of the host', expected: 'reused' },
  {
    name: 'it is a child of another container’s conmon, on the host',
    recorded: { ppid: 55 },
    parent: { pid: 55, ppid: 1, cmdline: ['/usr/bin/conmon', '-c', other] },
    expected: 'reused',
  },
  {
    name: 'its cgroup names another container',
    recorded: { cgroup: `/docker/${other}`, mnt: '5', mountinfo: podmanMounts(store, other) },
    expected: 'reused',
  },
  {
    name: 'its .containerenv names another container',
    recorded: { mnt: '5', mountinfo: podmanMounts(store, other, '/run/x', other) },
    expected: 'reused',
  },
  {
    name: 'its root is another layer',
    recorded: { mnt: '5', mountinfo: podmanMounts(store, other) },
    layer,
    expected: 'reused',
  },
  {
    name: 'it is a service with mounts of its own on the host’s root',
    recorded: { mnt: '5' },
    expected: 'reused',
  },
  {
    name: 'its root is a layer, and the container’s is not known',
    recorded: { mnt: '5', mountinfo: podmanMounts(store, other) },
    expected: 'unknown',
  },
  {
    name: 'it has mounts of its own that name no store',
    recorded: { mnt: '5', mountinfo: '75 48 0:41 / / rw - fuse.fuse-overlayfs x rw\n' },
    expected: 'unknown',
  },
  {
    name: 'its namespaces can’t be read',
    change: ({ root }) => {
      rmSync(join(root, 'proc/50/ns'), { recursive: true });
    },
    expected: 'unknown',
  },
  {
    name: 'its stat is no stat',
    change: ({ root }) => {
      writeFileSync(join(root, 'proc/50/stat'), 'garbage');
    },
    expected: 'unknown',
  },
  {
    name: 'it has gone',
    change: ({ root }) => {
      rmSync(join(root, 'proc/50'), { recursive: true });
    },
    expected: 'ended',
  },
  {
    name: 'it waits for its parent to take note',
    change: ({ root }) => {
      writeFileSync(join(root, 'proc/50/stat'), stateZ(50, 1, 100));
    },
    recorded: { cgroup: `/docker/${id}` },
    expected: 'ended',
  },
  {
    name: 'its main thread has exited and others serve on',
    change: ({ root }) => {
      writeFileSync(join(root, 'proc/50/stat'), stateZ(50, 4, 100));
    },
    recorded: { cgroup: `/docker/${id}` },
    expected: 'alive',
  },
];

for (const { name, recorded, parent, layer: known, change, expected } of cases) {
  t.test(`${expected}: ${name}`, (t) => {
    const process: FakeProcess = { pid: 50, ppid: 1, cmdline: ['server'], ...recorded };
    const tree = hostTree(t, [process, asked, ...(parent === undefined ? [] : [parent])]);
    change?.(tree);
    t.equal(recordedPid(tree.proc, 50, { id, layer: known }, [60, 1]), expected);
    t.end();
  });
}

t.test(
  'a process of the host is not the container’s because the one that was asked about has the host’s mounts',
  (t) => {
    const tree = hostTree(t, [
      { pid: 50, ppid: 1, cmdline: ['cron'] },
      { pid: 60, ppid: 1, cmdline: ['worker'] },
    ]);
    t.equal(recordedPid(tree.proc, 50, { id, layer: undefined }, [60, 1]), 'reused');
    t.equal(
      recordedPid(tree.proc, 50, { id, layer: undefined }, [60, 50, 1]),
      'alive',
      'but if it is above it',
    );
    t.end();
  },
);

t.test('the process itself, or one above it, is alive', (t) => {
  const tree = hostTree(t, [asked]);
  t.equal(recordedPid(tree.proc, 60, { id, layer: undefined }, [60, 1]), 'alive');
  t.end();
});
