import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isFrozen, isThawed, writeControl } from '../../src/reap/cgroup-freezer.ts';
import type { ContainerCgroup } from '../../src/reap/container-cgroup.ts';
import { thawKilled } from '../../src/reap/thaw-killed.ts';
import { needs } from '../helpers/needs.ts';
import { freezerDirectory, inside, makeCgroup } from './cgroups.ts';
import { end } from './ending.ts';
import { containerId, plant, runs, treeOf, until, type Said } from './world.ts';
import { exactly } from '../helpers/exactly.ts';

function ready(t: Test): boolean {
  if (!needs(t, 'root')) return false;
  if (freezerDirectory() !== undefined) return true;
  t.plan(0, 'pure cgroup v2: no freezer');
  return false;
}

async function pause(cgroup: ContainerCgroup): Promise<void> {
  writeControl(cgroup.directory, 'freezer.state', 'FROZEN');
  await until(() => isFrozen(cgroup));
}

/** A paused container of two processes, of which the runtime still knows: its cgroup is not killed as a whole. */
async function paused(t: Test) {
  const id = containerId();
  const cgroup = makeCgroup(t, 'v1-freezer', `libpod-${id}`);
  const container = { runtime: 'podman', id, name: null };
  const pids = [
    await plant(t, inside([cgroup], 'exec sleep 100'), 'sleep'),
    await plant(t, inside([cgroup], 'exec sleep 100'), 'sleep'),
  ];
  await pause(cgroup);
  const said = pids.map((pid): Said => ({ pid, container, reason: 'container-exited' }));
  return { cgroup, pids, said };
}

t.test('what a v1 freezer holds is ended, also where the cgroup can’t be killed as a whole', async (t) => {
  if (!ready(t)) return;
  const { said, pids } = await paused(t);
  const tree = treeOf(t, said);
  await end(tree, () => said, { gracePeriodMs: 50, killTimeoutMs: 3000 });
  t.notOk(pids.some(runs));
  t.same(
    tree.actions().map(({ outcome }) => outcome),
    ['killed', 'killed'],
  );
});

t.test(
  'with something alive beside them in the freezer they stay frozen, and are said to have survived',
  async (t) => {
    if (!ready(t)) return;
    const { cgroup, said, pids } = await paused(t);
    const tree = treeOf(t, said.slice(0, 1));
    await end(tree, () => said.slice(0, 1), { gracePeriodMs: 50, killTimeoutMs: 500, maxRounds: 2 });
    t.ok(isFrozen(cgroup));
    t.ok(pids.every(runs));
    t.match(tree.actions(), exactly({ outcome: 'survived', detail: /frozen/ }));
  },
);

t.test('before its SIGKILL nothing is thawed', async (t) => {
  if (!ready(t)) return;
  const { cgroup, said, pids } = await paused(t);
  const tree = treeOf(t, said);
  const [one, other] = tree.alive();
  if (one === undefined || other === undefined) throw new Error('two were planted');
  thawKilled(tree);
  t.ok(isFrozen(cgroup));
  tree.send(one, 'SIGKILL');
  tree.send(other, 'SIGTERM');
  thawKilled(tree);
  t.ok(isFrozen(cgroup), 'one of two has only its SIGTERM');
  tree.send(other, 'SIGKILL');
  thawKilled(tree);
  t.equal(await tree.settled(5000), true);
  t.notOk(pids.some(runs));
});

for (const { name, neighbour } of [
  { name: 'a frozen cgroup above holds them too, and is thawed with all in it killed', neighbour: false },
  { name: 'a frozen cgroup above stays frozen while something alive is in it', neighbour: true },
])
  t.test(name, async (t) => {
    if (!ready(t)) return;
    const above = makeCgroup(t, 'v1-freezer', `orphand-test-${containerId()}`);
    const child = (folder: string): ContainerCgroup => {
      const directory = join(above.directory, folder);
      mkdirSync(directory);
      t.teardown(async () => {
        for (const folder of [above.directory, directory]) writeControl(folder, 'freezer.state', 'THAWED');
        await until(() => removed(directory));
      });
      return { version: 'v1-freezer', directory };
    };
    const [own, beside] = [child('own'), child('beside')];
    const pid = await plant(t, inside([own], 'exec sleep 100'), 'sleep');
    const other = neighbour ? await plant(t, inside([beside], 'exec sleep 100'), 'sleep') : undefined;
    await pause(own);
    await pause(above);
    const tree = treeOf(t, [{ pid }]);
    await end(tree, () => [{ pid }], { gracePeriodMs: 50, killTimeoutMs: 500, maxRounds: 2 });
    t.equal(runs(pid), neighbour);
    t.equal(isThawed(above.directory), !neighbour);
    if (other !== undefined) t.ok(runs(other));
  });

function removed(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return false;
  }
}
