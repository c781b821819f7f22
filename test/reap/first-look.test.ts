import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { openPidFd, PidFdUnavailableError } from '../../src/linux/pidfd.ts';
import { FirstLook } from '../../src/reap/first-look.ts';
import { planTargets } from '../../src/reap/plan.ts';
import { idler, openDescriptors, plant, proc, reportOf, until, runs, type Said } from './world.ts';
import { exactly } from '../helpers/exactly.ts';

function observe(look: FirstLook, ...said: Said[]): void {
  const report = reportOf(said);
  look.observe(report, planTargets(report, { suspects: true }));
}

const states = (look: FirstLook): unknown[] =>
  look.sights().map(({ state, target }) => [state, target.identity.pid]);

t.test('a target is held with an open pidfd, and with the pidfd’s inode in its identity', async (t) => {
  const pid = await idler(t);
  const look = new FirstLook({ proc });
  observe(look, { pid });
  const [sight] = look.sights();
  t.equal(sight?.state, 'held');
  t.equal(sight?.state === 'held' && sight.young, false);
  const own = openPidFd(pid);
  t.equal(sight?.target.identity.pidfdInode, own?.inode);
  own?.close();
  look.close();
});

t.test('a process whose start time is not the report’s is not held', async (t) => {
  const pid = await idler(t);
  const look = new FirstLook({ proc });
  observe(look, { pid, startTime: 12 });
  t.same(states(look), [['gone', pid]]);
  look.close();
});

t.test('a process that exited after the report was made is gone', async (t) => {
  const pid = await idler(t);
  const report = reportOf([{ pid }]);
  process.kill(pid, 'SIGKILL');
  await until(() => !runs(pid));
  const look = new FirstLook({ proc });
  look.observe(report, planTargets(report, { suspects: false }));
  t.same(states(look), [['gone', pid]]);
});

t.test('a process that started during the look is young, until it is seen again', async (t) => {
  const pid = await idler(t);
  const look = new FirstLook({ proc });
  const report = { ...reportOf([{ pid }]), takenAt: new Date(Date.now() - 60_000).toISOString() };
  const targets = planTargets(report, { suspects: false });
  look.observe(report, targets);
  const young = (): unknown => look.sights().map((sight) => sight.state === 'held' && sight.young);
  t.same(young(), [true]);
  observe(look, { pid });
  t.same(young(), [false]);
  look.close();
});

t.test('a clock that was set back does not make a young process old', async (t) => {
  const pid = await plant(t, ['sleep', '100'], 'sleep');
  const clock = { now: () => 0, monotonic: () => performance.now(), sleep: delay };
  const look = new FirstLook({ proc, clock });
  const report = { ...reportOf([{ pid }]), durationMs: 60_000 };
  look.observe(report, planTargets(report, { suspects: false }));
  t.match(look.sights(), exactly({ state: 'held', young: true }));
  look.close();
});

t.test(
  'seen again, a target keeps the time of its first sight; with another verdict it starts anew',
  async (t) => {
    const pid = await idler(t);
    const look = new FirstLook({ proc });
    const seenAt = (): number => {
      const [sight] = look.sights();
      return sight?.state === 'held' ? sight.seenAt : NaN;
    };
    observe(look, { pid, verdict: 'suspect' });
    const first = seenAt();
    await delay(5);
    observe(look, { pid, verdict: 'suspect', reason: 'runtime-silent' });
    t.equal(seenAt(), first);
    observe(look, { pid, verdict: 'orphan' });
    t.ok(seenAt() > first);
    look.close();
  },
);

t.test(
  'a target that has exited since is gone at the next look, even where the report is an old one',
  async (t) => {
    const pid = await idler(t);
    const look = new FirstLook({ proc });
    const report = reportOf([{ pid }]);
    const targets = planTargets(report, { suspects: false });
    look.observe(report, targets);
    process.kill(pid, 'SIGKILL');
    await until(() => !runs(pid));
    look.observe(report, targets);
    t.same(states(look), [['gone', pid]]);
  },
);

t.test(
  'descriptors are given back: by what is no target any more, by forget, by take’s caller, by close',
  async (t) => {
    const pids = [await idler(t), await idler(t), await idler(t), await idler(t)];
    // Loads what is loaded on first use.
    openPidFd(process.pid)?.close();
    const before = openDescriptors();
    const look = new FirstLook({ proc });
    observe(look, ...pids.map((pid) => ({ pid })));
    t.equal(openDescriptors(), before + 4);
    observe(look, ...pids.map((pid) => ({ pid })));
    t.equal(openDescriptors(), before + 4, 'a second look at the same targets opens nothing');
    observe(look, ...pids.slice(1).map((pid) => ({ pid })));
    t.equal(openDescriptors(), before + 3);
    const [sight, other] = look.sights();
    look.forget(sight!.target);
    t.equal(openDescriptors(), before + 2);
    const taken = look.take(other!.target);
    t.equal(taken?.pid, other!.target.identity.pid);
    look.close();
    t.equal(openDescriptors(), before + 1);
    taken?.close();
    t.equal(openDescriptors(), before);
  },
);

t.test('without pidfd a target is refused, with the call and its error', async (t) => {
  const pid = await idler(t);
  const openNothing = (): never => {
    throw new PidFdUnavailableError('pidfd_open', 'ENOSYS');
  };
  const look = new FirstLook({ proc, openPidFd: openNothing });
  observe(look, { pid });
  t.match(look.sights(), exactly({ state: 'refused', detail: /^pidfd_open: ENOSYS/ }));
});
