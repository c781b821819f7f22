import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { confirmed } from '../../../src/container/runtimes/confirmed.ts';
import type { Inspection } from '../../../src/container/runtimes/inspection.ts';
import { hexId, hostTree } from '../../helpers/host-tree.ts';

const id = hexId('a');
const base: Inspection = { id, state: 'running', pid: 50, name: 'web', labels: {}, restartCount: 1 };

const cases: { name: string; said: Partial<Inspection>; expected: Partial<Inspection> }[] = [
  { name: 'runs, and its process is there', said: {}, expected: { state: 'running', pid: 50 } },
  {
    name: 'runs, and its process has ended',
    said: { pid: 4000 },
    expected: { state: 'exited', pid: undefined },
  },
  {
    name: 'paused, and its process has ended',
    said: { state: 'paused', pid: 4000 },
    expected: { state: 'exited', pid: undefined },
  },
  {
    name: 'runs, and its pid is another process by now',
    said: { pid: 51 },
    expected: { state: 'exited', pid: undefined },
  },
  {
    name: 'runs, and its process can’t be looked at',
    said: { pid: 52 },
    expected: { state: undefined, pid: undefined },
  },
  { name: 'runs without a pid', said: { pid: undefined }, expected: { state: undefined, pid: undefined } },
  {
    name: 'exited',
    said: { state: 'exited', pid: undefined },
    expected: { state: 'exited', pid: undefined },
  },
  {
    name: 'exited with the pid of one that still runs',
    said: { state: 'exited' },
    expected: { state: 'exited', pid: 50 },
  },
  {
    name: 'restarting, its last process gone',
    said: { state: 'restarting', pid: 4000 },
    expected: { state: 'restarting', pid: undefined },
  },
];

for (const { name, said, expected } of cases) {
  t.test(name, (t) => {
    const tree = hostTree(t, [
      { pid: 50, ppid: 1, cmdline: ['server'], cgroup: `/docker/${id}`, mnt: '5' },
      { pid: 51, ppid: 1, cmdline: ['cron'] },
      { pid: 52, ppid: 1, cmdline: ['hidden'] },
    ]);
    rmSync(join(tree.root, 'proc/52/ns'), { recursive: true });
    t.match(confirmed(tree.proc, { ...base, ...said }, undefined, [60]), expected);
    t.end();
  });
}
