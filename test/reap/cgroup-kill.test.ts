import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isFrozen, writeControl } from '../../src/reap/cgroup-freezer.ts';
import { killContainerCgroup } from '../../src/reap/cgroup-kill.ts';
import { cgroupMembers, type ContainerCgroup } from '../../src/reap/container-cgroup.ts';
import { needs } from '../helpers/needs.ts';
import { end } from './ending.ts';
import { freezerDirectory, inside, makeCgroup } from './cgroups.ts';
import { childrenOf, containerId, idler, plant, reportOf, runs, treeOf, until, type Said } from './world.ts';
import { exactly } from '../helpers/exactly.ts';

const versions = ['v2', 'v1-freezer'] as const;
const deaf = 'trap "" TERM; exec sleep 100';

function ready(t: Test, version: ContainerCgroup['version']): boolean {
  if (!needs(t, 'root')) return false;
  if (version === 'v2' || freezerDirectory() !== undefined) return true;
  t.plan(0, 'pure cgroup v2: no freezer');
  return false;
}

const takeNobody = (): Promise<void> => Promise.resolve();

for (const version of versions) {
  const signal = version === 'v2' ? 'cgroup.kill' : 'freezer';

  t.test(`${version}: a cgroup of targets only is ended at once, and one beside it is not`, async (t) => {
    if (!ready(t, version)) return;
    const id = containerId();
    const cgroup = makeCgroup(t, version, `libpod-${id}`);
    const [one, other] = [
      await plant(t, inside([cgroup], deaf), 'sleep'),
      await plant(t, inside([cgroup], deaf), 'sleep'),
    ];
    const bystander = await idler(t);
    const tree = treeOf(t, [{ pid: one }, { pid: other }]);
    t.equal(await killContainerCgroup(tree, cgroup, takeNobody), true);
    t.equal(await tree.settled(5000), true);
    t.notOk([one, other].some(runs));
    t.ok(runs(bystander));
    for (const { steps, outcome } of tree.actions()) {
      t.equal(outcome, 'killed');
      t.ok(steps.some((step) => step.signal === signal));
    }
  });

  t.test(`${version}: with a stranger in it nothing is sent, and nothing stays frozen`, async (t) => {
    if (!ready(t, version)) return;
    const cgroup = makeCgroup(t, version, `libpod-${containerId()}`);
    const target = await plant(t, inside([cgroup], deaf), 'sleep');
    const stranger = await plant(t, inside([cgroup], 'exec sleep 100'), 'sleep');
    const tree = treeOf(t, [{ pid: target }]);
    const asked: number[][] = [];
    const sent = await killContainerCgroup(tree, cgroup, (strangers) => {
      asked.push(strangers);
      return Promise.resolve();
    });
    t.equal(sent, false);
    t.same(asked, [[stranger]], 'it was asked about while frozen');
    t.ok(runs(target));
    t.ok(runs(stranger));
    t.notOk(isFrozen(cgroup));
  });

  t.test(`${version}: what the last look calls alive is not even frozen`, async (t) => {
    if (!ready(t, version)) return;
    const cgroup = makeCgroup(t, version, `libpod-${containerId()}`);
    const target = await plant(t, inside([cgroup], deaf), 'sleep');
    const second = await plant(t, inside([cgroup], 'exec sleep 100'), 'sleep');
    const tree = treeOf(t, [{ pid: target }]);
    tree.report = reportOf([{ pid: target }, { pid: second, verdict: 'container' }]);
    const sent = await killContainerCgroup(tree, cgroup, () => {
      t.fail('frozen');
      return Promise.resolve();
    });
    t.equal(sent, false);
    t.ok(runs(second));
    t.ok(runs(target));
  });

  t.test(`${version}: what was paused stays paused when it is left alone`, async (t) => {
    if (!ready(t, version)) return;
    const cgroup = makeCgroup(t, version, `libpod-${containerId()}`);
    const target = await plant(t, inside([cgroup], deaf), 'sleep');
    await plant(t, inside([cgroup], 'exec sleep 100'), 'sleep');
    const tree = treeOf(t, [{ pid: target }]);
    const [file, frozen, thawed] =
      version === 'v2' ? ['cgroup.freeze', '1', '0'] : ['freezer.state', 'FROZEN', 'THAWED'];
    writeControl(cgroup.directory, file, frozen);
    await until(() => isFrozen(cgroup));
    t.equal(await killContainerCgroup(tree, cgroup, takeNobody), false);
    t.ok(isFrozen(cgroup));
    writeControl(cgroup.directory, file, thawed);
  });

  t.test(`${version}: leapfrogging forkers in a container that is gone are all ended`, async (t) => {
    if (!ready(t, version)) return;
    const id = containerId();
    const cgroup = makeCgroup(t, version, `libpod-${id}`);
    const container = { runtime: 'podman', id, name: null };
    // Each lives for a moment, forks, and leaves the child to pid 1: no parent to find it by, a new pid at every look.
    const leap = `perl -e 'while (1) { exit if fork; select(undef, undef, undef, 0.004) }'`;
    const start = `(${leap} &) ; (${leap} &) ; ${deaf}`;
    const pid = await plant(t, inside([cgroup], start), 'sleep');
    const bystander = await idler(t);
    // Until both have left their shell, they are its children.
    await until(() => childrenOf(pid).length === 0 && (cgroupMembers(cgroup.directory) ?? []).length >= 3);
    const said = (): Said[] => [
      ...(cgroupMembers(cgroup.directory) ?? []).map((each) => ({
        pid: each,
        container,
        reason: 'container-gone' as const,
      })),
      { pid: bystander, verdict: 'host' },
    ];
    const tree = treeOf(t, [{ pid, container, reason: 'container-gone' }]);
    await end(tree, said, { gracePeriodMs: 50 });
    t.equal(readFileSync(join(cgroup.directory, 'cgroup.procs'), 'utf8'), '');
    t.match(
      tree.actions().find((action) => action.pid === pid),
      { outcome: 'killed' },
    );
    t.ok(tree.actions().filter(({ steps }) => steps.some((step) => step.signal === signal)).length >= 3);
    t.notOk(tree.hasSurvivors());
    t.ok(runs(bystander));
  });
}

t.test('terminate uses a container’s cgroup only where the container is gone', async (t) => {
  if (!needs(t, 'root')) return;
  for (const reason of [
    'container-gone',
    'previous-instance',
    'container-exited',
    'superseded-instance',
  ] as const) {
    const id = containerId();
    const cgroup = makeCgroup(t, 'v2', `libpod-${id}`);
    const container = { runtime: 'podman', id, name: null };
    const pid = await plant(t, inside([cgroup], deaf), 'sleep');
    const said: Said = { pid, container, reason, supervisor: { pid: 1, comm: 'conmon' } };
    const tree = treeOf(t, [said]);
    await end(tree, () => [said], { gracePeriodMs: 50 });
    t.same(
      tree.actions().map(({ steps }) => steps.map(({ signal }) => signal)),
      [['SIGTERM', reason === 'container-gone' ? 'cgroup.kill' : 'SIGKILL']],
      reason,
    );
  }
});

t.test(
  'where a runtime knows the container after all, by one process of it, its cgroup is left alone',
  async (t) => {
    if (!needs(t, 'root')) return;
    for (const where of ['target', 'last look'] as const) {
      const id = containerId();
      const cgroup = makeCgroup(t, 'v2', `libpod-${id}`);
      const container = { runtime: 'podman', id, name: null };
      const [one, other] = [
        await plant(t, inside([cgroup], deaf), 'sleep'),
        await plant(t, inside([cgroup], deaf), 'sleep'),
      ];
      const gone: Said[] = [one, other].map((pid) => ({ pid, container, reason: 'container-gone' }));
      const mixed: Said[] = [
        { pid: one, container, reason: 'container-gone' },
        { pid: other, container, reason: 'container-exited' },
      ];
      const tree = treeOf(t, where === 'target' ? mixed : gone);
      await end(tree, () => (where === 'target' ? gone : mixed), { gracePeriodMs: 50 });
      t.same(
        tree.actions().flatMap(({ steps }) => steps.map(({ signal }) => signal)),
        ['SIGTERM', 'SIGKILL', 'SIGTERM', 'SIGKILL'],
        where,
      );
    }
  },
);

t.test('a bystander in the cgroup of a container that is gone survives its end', async (t) => {
  if (!needs(t, 'root')) return;
  const id = containerId();
  const cgroup = makeCgroup(t, 'v2', `libpod-${id}`);
  const container = { runtime: 'podman', id, name: null };
  const pid = await plant(t, inside([cgroup], deaf), 'sleep');
  const bystander = await plant(t, inside([cgroup], 'exec sleep 100'), 'sleep');
  const said: Said[] = [
    { pid, container, reason: 'container-gone' },
    { pid: bystander, verdict: 'host' },
  ];
  const tree = treeOf(t, said.slice(0, 1));
  await end(tree, () => said, { gracePeriodMs: 50 });
  t.match(tree.actions(), exactly({ pid, outcome: 'killed' }));
  t.notOk(runs(pid));
  t.ok(runs(bystander));
});

t.test('a cgroup that is empty, missing or may not be written gives way to the pidfds', async (t) => {
  const pid = await idler(t);
  const tree = treeOf(t, [{ pid }]);
  const missing = { version: 'v2' as const, directory: '/nonexistent/libpod' };
  t.equal(await killContainerCgroup(tree, missing, takeNobody), false);
  const fake = { version: 'v2' as const, directory: t.testdir({ 'cgroup.procs': `${pid}\n` }) };
  t.equal(await killContainerCgroup(tree, fake, takeNobody), false, 'no cgroup.kill, no cgroup.freeze');
  t.equal(
    await killContainerCgroup(tree, { ...fake, directory: t.testdir({ 'cgroup.procs': '' }) }, takeNobody),
    false,
  );
  t.ok(runs(pid));
});
