import { chmodSync, copyFileSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readStat } from '../../src/procfs/stat.ts';
import { readCmdline } from '../../src/procfs/cmdline.ts';
import { adoptChild, adoptForks } from '../../src/reap/forks.ts';
import { openPidFd } from '../../src/linux/pidfd.ts';
import { needs } from '../helpers/needs.ts';
import { v2Directory } from './cgroups.ts';
import {
  childrenOf,
  containerId,
  idler,
  openDescriptors,
  plant,
  proc,
  reportedAs,
  reportOf,
  reuse,
  runs,
  treeOf,
  until,
} from './world.ts';

const family = ['sh', '-c', 'sh -c "sleep 100 & sleep 100 & wait" & wait'];

async function grown(pid: number): Promise<{ child: number; grandchildren: number[] }> {
  await until(() => childrenOf(childrenOf(pid)[0] ?? 0).length === 2);
  const [child = 0] = childrenOf(pid);
  return { child, grandchildren: childrenOf(child) };
}

t.test('children and their children are taken in, a process beside them is not', async (t) => {
  const pid = await plant(t, family, 'sh');
  const bystander = await idler(t);
  const { child, grandchildren } = await grown(pid);
  const tree = treeOf(t, [{ pid }]);
  const { adopted } = adoptForks(tree);
  t.same(adopted.map((member) => member.pid).sort(), [child, ...grandchildren].sort());
  t.match(adopted[0], { origin: 'fork', foundUnder: pid, pid: child });
  t.equal(tree.holder(bystander), undefined);
  t.same(adoptForks(tree).adopted, [], 'a second walk finds nothing new');
  for (const member of tree.alive()) tree.send(member, 'SIGKILL');
  t.equal(await tree.settled(5000), true);
});

t.test('of a member that has exited nothing is taken in', async (t) => {
  const pid = await plant(t, family, 'sh');
  const { child, grandchildren } = await grown(pid);
  const tree = treeOf(t, [{ pid }]);
  process.kill(pid, 'SIGKILL');
  await until(() => !runs(pid));
  t.same(adoptForks(tree).adopted, []);
  for (const each of [child, ...grandchildren]) process.kill(each, 'SIGKILL');
});

t.test('a child of whoever has a member’s pid now is not the member’s', async (t) => {
  if (!needs(t, 'root')) return;
  const pid = await idler(t);
  const tree = treeOf(t, [{ pid }]);
  const [member] = tree.alive();
  process.kill(pid, 'SIGKILL');
  await until(() => readStat(proc, pid) === undefined);
  await reuse(t, pid, 'sleep 100 & wait');
  await until(() => childrenOf(pid).length === 1);
  const [child = 0] = childrenOf(pid);
  // As if its exit went unnoticed until the walk: only the pidfd tells.
  t.equal(adoptChild(tree, member!, child), undefined);
  t.equal(tree.holder(child), undefined);
  process.kill(child, 'SIGKILL');
});

t.test('a process whose parent is another one is not a member’s child', async (t) => {
  const [pid, other] = [await idler(t), await idler(t)];
  const tree = treeOf(t, [{ pid }]);
  const [member] = tree.alive();
  t.equal(adoptChild(tree, member!, other), undefined);
});

t.test('this process is never taken in, whoever its parent is', (t) => {
  const tree = treeOf(t, [{ pid: process.ppid }]);
  const { adopted } = adoptForks(tree);
  t.notOk(adopted.some(({ pid }) => pid === process.pid));
  t.end();
});

for (const verdict of ['container', 'helper', 'host', 'unknown', 'suspect'] as const) {
  t.test(`a child that the last look calls ${verdict} is left alone, with what is below it`, async (t) => {
    const pid = await plant(t, family, 'sh');
    const { child, grandchildren } = await grown(pid);
    const tree = treeOf(t, [{ pid }]);
    tree.report = reportOf([{ pid }, { pid: child, verdict }]);
    t.same(adoptForks(tree).adopted, []);
    // The start time tells whether the report means this process.
    tree.report = { ...tree.report, processes: [reportedAs({ pid: child, verdict, startTime: 1 })] };
    t.equal(adoptForks(tree).adopted.length, 3);
    for (const each of [child, ...grandchildren]) process.kill(each, 'SIGKILL');
  });
}

for (const program of ['docker', 'conmon', 'podman-compose'] as const) {
  t.test(`a child that holds on to a live container is left alone: ${program}`, async (t) => {
    // sleep by another name, and a script by that name.
    const file = join(t.testdir(), program);
    if (program === 'podman-compose') writeFileSync(file, 'sleep 100; exit');
    else copyFileSync('/bin/sleep', file);
    chmodSync(file, 0o755);
    const command = program === 'podman-compose' ? `sh ${file}` : `${file} 100`;
    const pid = await plant(t, ['sh', '-c', `${command} & sleep 100 & wait`], 'sh');
    await until(
      () => childrenOf(pid).length === 2 && childrenOf(pid).some((each) => cmdline(each).includes(file)),
    );
    const [spared = 0, taken = 0] = childrenOf(pid).sort((one) => (cmdline(one).includes(file) ? -1 : 1));
    const below = childrenOf(spared);
    t.same(
      adoptForks(treeOf(t, [{ pid }])).adopted.map((member) => member.pid),
      [taken],
    );
    for (const each of [pid, spared, taken, ...below, ...childrenOf(spared)]) process.kill(each, 'SIGKILL');
  });
}

t.test('a child of a suspect may be a suspect', async (t) => {
  const pid = await plant(t, family, 'sh');
  const { child } = await grown(pid);
  const tree = treeOf(t, [{ pid, verdict: 'suspect' }]);
  tree.report = reportOf([
    { pid, verdict: 'suspect' },
    { pid: child, verdict: 'suspect' },
  ]);
  t.equal(adoptForks(tree).adopted.length, 3);
  for (const member of tree.alive()) tree.send(member, 'SIGKILL');
});

t.test(
  'a child that was moved to another cgroup is left alone, unless that is the container’s own',
  async (t) => {
    if (!needs(t, 'root')) return;
    const root = v2Directory();
    const id = containerId();
    const elsewhere = `${root}/orphand-test-${id.slice(0, 12)}`;
    const inside = `${root}/libpod-${id}`;
    mkdirSync(elsewhere);
    mkdirSync(inside);
    const pid = await plant(t, ['sh', '-c', 'sleep 100 & sleep 100 & wait'], 'sh');
    await until(() => childrenOf(pid).length === 2);
    const [moved = 0, inner = 0] = childrenOf(pid);
    writeFileSync(`${elsewhere}/cgroup.procs`, String(moved));
    writeFileSync(`${inside}/cgroup.procs`, String(inner));
    const container = { runtime: 'podman', id, name: null };
    const tree = treeOf(t, [{ pid, container, reason: 'container-gone' }]);
    t.same(
      adoptForks(tree).adopted.map((member) => member.pid),
      [inner],
    );
    for (const each of [pid, moved, inner]) process.kill(each, 'SIGKILL');
    await until(() => [moved, inner].every((each) => !runs(each)));
    await until(() => tryRemove(elsewhere) && tryRemove(inside));
  },
);

t.test('a walk leaves no descriptor behind but those of what it took in', async (t) => {
  const pid = await plant(t, family, 'sh');
  const { child, grandchildren } = await grown(pid);
  openPidFd(process.pid)?.close();
  const tree = treeOf(t, [{ pid }]);
  tree.report = reportOf([{ pid: child, verdict: 'host' }]);
  const before = openDescriptors();
  adoptForks(tree);
  t.equal(openDescriptors(), before);
  tree.report = reportOf([]);
  adoptForks(tree);
  t.equal(openDescriptors(), before + 3);
  for (const each of [child, ...grandchildren]) process.kill(each, 'SIGKILL');
  await until(() => [child, ...grandchildren].every((each) => !runs(each)));
  tree.alive();
  t.equal(openDescriptors(), before, 'what exits gives its descriptor back at once');
});

const cmdline = (pid: number): string => (readCmdline(proc, pid) ?? []).join(' ');

function tryRemove(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
