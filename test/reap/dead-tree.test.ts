import t from 'tap';
import { openPidFd, PidFdUnavailableError } from '../../src/linux/pidfd.ts';
import { idler, openDescriptors, reportOf, runs, treeOf, until } from './world.ts';
import { exactly } from '../helpers/exactly.ts';

t.test('what has its SIGKILL and does not exit has survived, whatever a look says of it', async (t) => {
  const pid = await idler(t);
  const tree = treeOf(t, [{ pid }]);
  const [member] = tree.alive();
  tree.note(member!, 'SIGKILL');
  tree.judge(reportOf([{ pid, verdict: 'host' }]));
  t.match(tree.actions(), exactly({ outcome: 'survived', detail: /state D/ }));
  t.ok(tree.hasSurvivors());
});

t.test('a step of one kind is recorded once', async (t) => {
  const pid = await idler(t);
  const tree = treeOf(t, [{ pid }]);
  const [member] = tree.alive();
  tree.note(member!, 'freezer');
  tree.note(member!, 'freezer');
  t.match(tree.actions(), exactly({ steps: exactly({ at: /^\d{4}-.*Z$/, signal: 'freezer' }) }));
  t.equal(tree.actions()[0]?.steps.length, 1);
});

t.test('a report that means another process with that pid changes nothing', async (t) => {
  const pid = await idler(t);
  const tree = treeOf(t, [{ pid }]);
  tree.judge(reportOf([{ pid, verdict: 'host', startTime: 1 }]));
  t.same(
    tree.alive().map((member) => member.pid),
    [pid],
  );
});

t.test('a descriptor that was taken in is given back at the exit or at the end, once', async (t) => {
  const [pid, exits, stays] = [await idler(t), await idler(t), await idler(t)];
  const tree = treeOf(t, [{ pid }]);
  const [member] = tree.alive();
  const before = openDescriptors();
  for (const each of [exits, stays]) {
    const { target } = member!;
    const found = {
      startTime: 1,
      comm: 'sleep',
      cmdline: [],
      target,
      origin: 'fork' as const,
      foundUnder: pid,
    };
    tree.adopt({ ...found, pid: each, pidfd: openPidFd(each)! });
  }
  t.equal(openDescriptors(), before + 2);
  process.kill(exits, 'SIGKILL');
  await until(() => !runs(exits));
  t.equal(tree.alive().length, 2);
  t.equal(openDescriptors(), before + 1);
  tree.close();
  tree.close();
  t.equal(openDescriptors(), before);
  t.ok([pid, stays].every(runs));
});

t.test('a signal that seccomp refuses is told, and keeps nobody else from theirs', async (t) => {
  const [pid, other] = [await idler(t), await idler(t)];
  const tree = treeOf(t, [{ pid }, { pid: other }]);
  const [member] = tree.alive();
  const send = (): never => {
    throw new PidFdUnavailableError('pidfd_send_signal', 'ENOSYS');
  };
  member!.pidfd = { ...member!.pidfd, pid, inode: undefined, hasExited: () => false, send };
  for (const each of tree.alive()) tree.send(each, 'SIGTERM');
  await until(() => !runs(other));
  t.match(
    tree.actions(),
    exactly(
      { pid, outcome: 'refused', steps: exactly(), detail: 'pidfd_send_signal: ENOSYS' },
      { pid: other, outcome: 'terminated' },
    ),
  );
  t.ok(tree.hasSurvivors());
});
