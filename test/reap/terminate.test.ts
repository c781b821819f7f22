import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import type { Action, Report } from '../../src/model.ts';
import { listPids } from '../../src/procfs/pids.ts';
import { readStat } from '../../src/procfs/stat.ts';
import { seteuid } from '../helpers/effective-ids.ts';
import { needs } from '../helpers/needs.ts';
import { end, type Run } from './ending.ts';
import {
  childrenOf,
  containerId,
  idler,
  openDescriptors,
  plant,
  proc,
  reportOf,
  runs,
  stubborn,
  treeOf,
  until,
  type Said,
} from './world.ts';
import { exactly } from '../helpers/exactly.ts';

const signals = (action: Action | undefined): unknown => action?.steps.map(({ signal }) => signal);

t.test('what obeys SIGTERM is terminated, what ignores it is killed, what is no target lives', async (t) => {
  const [obedient, deaf, bystander] = [await idler(t), await stubborn(t), await idler(t)];
  const tree = treeOf(t, [{ pid: obedient }, { pid: deaf }]);
  const { actions, progress, report } = await end(tree, () => [
    { pid: obedient },
    { pid: deaf },
    { pid: bystander, verdict: 'host' },
  ]);
  t.match(actions.get(obedient), { outcome: 'terminated', detail: null });
  t.same(signals(actions.get(obedient)), ['SIGTERM']);
  t.match(actions.get(deaf), { outcome: 'killed', detail: null });
  t.same(signals(actions.get(deaf)), ['SIGTERM', 'SIGKILL']);
  t.equal(actions.size, 2);
  t.notOk(runs(obedient));
  t.notOk(runs(deaf));
  t.ok(runs(bystander));
  t.same(
    progress.map(({ kind }) => kind),
    ['signalled', 'grace-wait', 'killed'],
  );
  t.same(
    report.processes.map(({ pid }) => pid),
    [bystander],
    'the look that is answered is later than the last signal',
  );
  t.notOk(tree.hasSurvivors());
});

t.test('a target that has gone by itself is gone, without a step', async (t) => {
  const pid = await idler(t);
  const tree = treeOf(t, [{ pid }]);
  process.kill(pid, 'SIGKILL');
  await until(() => !runs(pid));
  const { actions } = await end(tree, () => [{ pid }]);
  t.match(actions.get(pid), { outcome: 'gone', steps: exactly() });
});

t.test(
  'workers that ignore SIGTERM end with their parent, although they are nobody’s child by then',
  async (t) => {
    const script = 'for i in 1 2 3; do (trap "" TERM; exec sleep 100) & done; wait';
    const pid = await plant(t, ['sh', '-c', script], 'sh');
    await until(() => childrenOf(pid).length === 3);
    const workers = childrenOf(pid);
    const bystander = await idler(t);
    const tree = treeOf(t, [{ pid }]);
    const { actions, adopted } = await end(tree, () => [{ pid }]);
    t.match(actions.get(pid), { outcome: 'terminated' });
    for (const worker of workers)
      t.match(actions.get(worker), { outcome: 'killed', detail: `child of ${pid}` });
    t.same(adopted.sort(), workers.sort());
    t.notOk([pid, ...workers].some(runs));
    t.ok(runs(bystander));
  },
);

t.test('what a SIGTERM handler starts is held, and ended when it outlives the grace period', async (t) => {
  const script = `$SIG{TERM} = sub {
    if (!($late = fork)) { $SIG{TERM} = 'IGNORE'; exec 'sleep', '100' }
    open F, '>', $ARGV[0]; print F $late; close F; sleep 1; exit
  }; open F, '>', "$ARGV[0].ready"; close F; sleep 1 while 1`;
  const file = `${t.testdir()}/pid`;
  const pid = await plant(t, ['perl', '-e', script, file], 'perl');
  await until(() => existsSync(`${file}.ready`));
  const tree = treeOf(t, [{ pid }]);
  const { actions } = await end(tree, () => [{ pid }], { gracePeriodMs: 1500 });
  const late = Number(readFileSync(file, 'utf8'));
  t.match(actions.get(late), { outcome: 'killed', detail: `child of ${pid}` });
  t.notOk(runs(late));
});

t.test('a process that forks all the time is ended with every child, in bounded time', async (t) => {
  // Ignores SIGTERM, and so do its children; each child forks once more.
  const bomb = `# ${containerId()}
    $SIG{TERM} = 'IGNORE'; for (1..300) { if (!fork) { fork; sleep 100; exit } select(undef, undef, undef, 0.003) } sleep 100`;
  const pid = await plant(t, ['perl', '-e', bomb], 'perl');
  const bystander = await idler(t);
  const tree = treeOf(t, [{ pid }]);
  const { actions } = await end(tree, () => [{ pid }], { gracePeriodMs: 50 });
  t.ok(actions.size > 3);
  t.same([...new Set([...actions.values()].map(({ outcome }) => outcome))], ['killed']);
  t.same([...actions.keys()].filter(runs), []);
  t.same(perlProcesses(bomb), [], 'none is left that was not seen');
  t.ok(runs(bystander));
});

t.test('what a look calls alive after SIGTERM gets no SIGKILL, nor does its child', async (t) => {
  const [deaf, other] = [await stubborn(t), await stubborn(t)];
  const tree = treeOf(t, [{ pid: deaf }, { pid: other }]);
  const { actions } = await end(tree, () => [
    { pid: deaf, verdict: 'container', cause: 'podman has it back' },
    { pid: other },
  ]);
  t.match(actions.get(deaf), {
    outcome: 'refused',
    detail: 'verdict changed from orphan to container during the clean-up: podman has it back',
  });
  t.match(actions.get(other), { outcome: 'killed' });
  t.ok(runs(deaf));
  t.notOk(tree.hasSurvivors());
});

t.test('a target that a look does not list any more is still ended: two looks had it', async (t) => {
  const pid = await stubborn(t);
  const { actions } = await end(treeOf(t, [{ pid }]), () => []);
  t.match(actions.get(pid), { outcome: 'killed' });
});

t.test('a look that fails does not stop the end half-way, and is thrown afterwards', async (t) => {
  const pid = await stubborn(t);
  const tree = treeOf(t, [{ pid }]);
  await t.rejects(
    end(tree, () => [], { look: () => Promise.reject(new Error('no look')) }),
    { message: 'no look' },
  );
  t.match(tree.actions(), exactly({ outcome: 'killed' }));
  t.notOk(runs(pid));
});

t.test('a superseded supervisor gets SIGKILL alone, before its container gets anything', async (t) => {
  // Would note a SIGTERM, and note when its container is told before it is dead.
  const file = `${t.testdir()}/told`;
  const supervisor = await plant(
    t,
    ['sh', '-c', 'trap "echo exit-command >> $0" TERM; while :; do sleep 0.02; done', file],
    'sh',
  );
  const script = `trap 'if grep -q ") [^Z]" /proc/${supervisor}/stat 2> /dev/null; then echo early >> $0; else echo late >> $0; fi; exit' TERM; while :; do sleep 0.02; done`;
  const child = await plant(t, ['sh', '-c', script, file], 'sh');
  const id = containerId();
  const container = { runtime: 'podman', id, name: 'aidb' };
  const said: Said[] = [
    { pid: supervisor, reason: 'superseded-instance' },
    { pid: child, reason: 'superseded-instance', container, supervisor: { pid: supervisor, comm: 'conmon' } },
  ];
  const tree = treeOf(t, said);
  const { actions } = await end(tree, () => said, { gracePeriodMs: 2000 });
  t.same(signals(actions.get(supervisor)), ['SIGKILL']);
  t.same(signals(actions.get(child)), ['SIGTERM']);
  t.match(actions.get(child), { outcome: 'terminated' });
  t.equal(readFileSync(file, 'utf8'), 'late\n');
});

t.test('a newcomer in a container that is gone is ended, one in another container is not', async (t) => {
  const container = { runtime: 'podman', id: containerId(), name: null };
  const [pid, newcomer, other] = [await stubborn(t), await stubborn(t), await stubborn(t)];
  const said: Said = { pid, container, reason: 'container-gone' };
  const tree = treeOf(t, [said]);
  const { actions, adopted } = await end(tree, () => [
    said,
    { pid: newcomer, container, reason: 'container-gone' },
    { pid: other, container: { ...container, id: containerId() }, reason: 'container-gone' },
  ]);
  t.match(actions.get(newcomer), { outcome: 'killed', detail: /^came up in the container/ });
  t.same(adopted, [newcomer]);
  t.notOk(runs(newcomer));
  t.ok(runs(other));
});

t.test(
  'a second life of the same container lives, and so does a newcomer that only one look calls an orphan',
  async (t) => {
    const container = { runtime: 'podman', id: containerId(), name: null };
    const [pid, second, briefly] = [await idler(t), await idler(t), await idler(t)];
    const said: Said = { pid, container, reason: 'previous-instance' };
    const tree = treeOf(t, [said]);
    let looks = 0;
    const { actions } = await end(tree, () => {
      looks += 1;
      return [
        said,
        { pid: second, container, verdict: 'container', reason: 'supervised' },
        looks === 1
          ? { pid: briefly, container, reason: 'container-exited' }
          : { pid: briefly, container, verdict: 'container', reason: 'supervised' },
      ];
    });
    t.match(actions.get(pid), { outcome: 'terminated' });
    t.equal(actions.size, 1);
    t.ok(runs(second));
    t.ok(runs(briefly));
  },
);

t.test(
  'a newcomer of a container that the runtime knows is ended only after confirmAfter, or left to the next clean-up',
  async (t) => {
    const container = { runtime: 'podman', id: containerId(), name: null };
    const [pid, newcomer] = [await idler(t), await idler(t)];
    const said: Said = { pid, container, reason: 'container-exited' };
    const late: Said = { pid: newcomer, container, reason: 'container-exited' };
    const first = await end(treeOf(t, [said]), () => [said, late], {
      confirmAfterMs: 60_000,
      killTimeoutMs: 300,
    });
    t.equal(first.actions.has(newcomer), false);
    t.ok(runs(newcomer));

    const again = await idler(t);
    const second = await end(treeOf(t, [{ ...said, pid: again }]), () => [{ ...said, pid: again }, late], {
      confirmAfterMs: 200,
    });
    t.match(second.actions.get(newcomer), { outcome: 'killed' });
  },
);

t.test('a process of another user is refused, with the capability that is missing', async (t) => {
  if (!needs(t, 'root')) return;
  const child = spawn('sleep', ['100'], { stdio: 'ignore', uid: 1234 });
  t.teardown(() => child.kill('SIGKILL'));
  const pid = child.pid!;
  await until(() => readStat(proc, pid)?.comm === 'sleep');
  await delay(30);
  const tree = treeOf(t, [{ pid }]);
  // Without CAP_KILL: neither the real user (0) nor the effective one is the process's.
  seteuid(65534);
  let run: Run;
  try {
    run = await end(tree, () => [{ pid }]);
  } finally {
    seteuid(0);
  }
  t.match(run.actions.get(pid), {
    outcome: 'refused',
    steps: exactly(),
    detail: /^EPERM: SIGTERM .*uid 1234.*CAP_KILL/,
  });
  t.ok(tree.hasSurvivors());
  t.ok(runs(pid));
});

t.test('rounds and time are bounded where newcomers never end', async (t) => {
  const container = { runtime: 'podman', id: containerId(), name: null };
  const pid = await idler(t);
  const said: Said = { pid, container, reason: 'container-gone' };
  let looks = 0;
  const replace: number[] = [];
  await end(
    treeOf(t, [said]),
    () => {
      looks += 1;
      // A new one for each look.
      const child = spawn('sleep', ['100'], { stdio: 'ignore' });
      t.teardown(() => child.kill('SIGKILL'));
      replace.push(child.pid!);
      return replace.map((each) => ({ pid: each, container, reason: 'container-gone' as const }));
    },
    { maxRounds: 5 },
  );
  t.equal(looks, 6);
});

t.test('time is bounded where newcomers never end', async (t) => {
  const container = { runtime: 'podman', id: containerId(), name: null };
  const pid = await idler(t);
  const said: Said = { pid, container, reason: 'container-gone' };
  let looks = 0;
  const look = async (): Promise<Report> => {
    looks += 1;
    await delay(50);
    return reportOf([{ pid: await idler(t), container, reason: 'container-gone' }]);
  };
  await end(treeOf(t, [said]), () => [], { look, killTimeoutMs: 300, maxRounds: 100 });
  t.ok(looks <= 8, `${looks} looks of 50 ms within 300 ms, and the last one`);
});

t.test('all descriptors are given back', async (t) => {
  const script = 'for i in 1 2 3; do (trap "" TERM; exec sleep 100) & done; wait';
  const pid = await plant(t, ['sh', '-c', script], 'sh');
  await until(() => childrenOf(pid).length === 3);
  const tree = treeOf(t, [{ pid }]);
  const before = openDescriptors();
  await end(tree, () => [{ pid }]);
  tree.close();
  t.equal(openDescriptors(), before);
});

function perlProcesses(script: string): number[] {
  return listPids(proc).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(script);
    } catch {
      return false;
    }
  });
}
