import t from 'tap';
import { readStat } from '../../src/procfs/stat.ts';
import { stopForking } from '../../src/reap/stop-forking.ts';
import { idler, plant, proc, runs, treeOf, until } from './world.ts';
import { exactly } from '../helpers/exactly.ts';

const state = (pid: number): string => readStat(proc, pid)?.state ?? '';

t.test(
  'a process that forks all the time is stopped with all its children, and another one is not',
  async (t) => {
    // Every child lives: up to 200 of them.
    const forker = await plant(
      t,
      [
        'perl',
        '-e',
        'for (1..200) { if (!fork) { sleep 100; exit } select(undef, undef, undef, 0.005) } sleep 100',
      ],
      'perl',
    );
    const bystander = await idler(t);
    const tree = treeOf(t, [{ pid: forker }]);
    const told: number[] = [];
    await stopForking(tree, (adopted) => told.push(...adopted.map(({ pid }) => pid)));
    const members = tree.alive();
    t.ok(members.length > 1);
    t.same(told.length, members.length - 1, 'each one that was taken in was told of, once');
    t.same([...new Set(members.map(({ pid }) => state(pid)))], ['T']);
    t.equal(state(bystander), 'S');
    for (const member of members) tree.send(member, 'SIGKILL');
    t.equal(await tree.settled(5000), true);
  },
);

t.test('what was stopped and is not ended goes on when the tree is closed', async (t) => {
  const pid = await idler(t);
  const tree = treeOf(t, [{ pid }]);
  await stopForking(tree, () => undefined);
  t.equal(state(pid), 'T');
  tree.close();
  await until(() => state(pid) === 'S');
  t.ok(runs(pid));
});

t.test('what a look calls alive goes on at once', async (t) => {
  const pid = await idler(t);
  const tree = treeOf(t, [{ pid }]);
  await stopForking(tree, () => undefined);
  tree.judge({
    ...tree.report,
    processes: tree.report.processes.map((each) => ({ ...each, verdict: 'container' })),
  });
  await until(() => state(pid) === 'S');
  t.same(tree.alive(), []);
  t.match(
    tree.actions(),
    exactly({ outcome: 'refused', detail: /^verdict changed from orphan to container/ }),
  );
});
