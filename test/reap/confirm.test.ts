import t from 'tap';
import { PidFdUnavailableError } from '../../src/linux/pidfd.ts';
import { confirm, type Confirmation, type ConfirmOptions } from '../../src/reap/confirm.ts';
import { FirstLook } from '../../src/reap/first-look.ts';
import { planTargets } from '../../src/reap/plan.ts';
import { readStat } from '../../src/procfs/stat.ts';
import { needs } from '../helpers/needs.ts';
import { idler, openDescriptors, proc, reportOf, reuse, runs, until, type Said } from './world.ts';
import { exactly } from '../helpers/exactly.ts';

function firstLook(...said: Said[]): FirstLook {
  const look = new FirstLook({ proc });
  const report = reportOf(said);
  look.observe(report, planTargets(report, { suspects: true }));
  return look;
}

function secondLook(first: FirstLook, said: Said[], options: Partial<ConfirmOptions> = {}): Confirmation[] {
  const now = performance.now();
  return confirm(first, reportOf(said), { confirmAfterMs: 0, now, ...options });
}

const cases: {
  name: string;
  first?: Partial<Said>;
  second: Partial<Said> | undefined;
  want: object;
}[] = [
  {
    name: 'the same process with the same verdict is confirmed',
    second: {},
    want: { state: 'confirmed', target: { reason: 'stack-process-reparented' } },
  },
  {
    name: 'another reason for the same verdict is confirmed, with the second look’s reason',
    first: { reason: 'container-exited' },
    second: { reason: 'previous-instance', ports: [8091] },
    want: { state: 'confirmed', target: { reason: 'previous-instance', ports: [8091] } },
  },
  {
    name: 'a suspect that stays one is confirmed as that',
    first: { verdict: 'suspect' },
    second: { verdict: 'suspect' },
    want: { state: 'confirmed', target: { verdict: 'suspect' } },
  },
  ...(['container', 'helper', 'host', 'unknown', 'suspect'] as const).map((verdict) => ({
    name: `an orphan that the second look calls ${verdict} is refused, with both verdicts and the cause`,
    second: { verdict, cause: 'its conmon lives' },
    want: { state: 'refused', detail: `verdict changed from orphan to ${verdict}: its conmon lives` },
  })),
  {
    name: 'a suspect that became an orphan starts anew',
    first: { verdict: 'suspect' as const },
    second: { verdict: 'orphan' as const },
    want: { state: 'refused', detail: /^verdict changed from suspect to orphan/ },
  },
  {
    name: 'what the second look does not list is refused',
    second: undefined,
    want: { state: 'refused', detail: /does not list it/ },
  },
  {
    name: 'what left the scope is refused',
    second: { inScope: false },
    want: { state: 'refused', detail: 'no longer in scope' },
  },
  {
    name: 'another process under the same pid is refused, whatever the pidfd says',
    second: { startTime: 12 },
    want: { state: 'refused', detail: /another process/ },
  },
];

for (const { name, first = {}, second, want } of cases) {
  t.test(name, async (t) => {
    const pid = await idler(t);
    const look = firstLook({ pid, ...first });
    t.match(secondLook(look, second === undefined ? [] : [{ pid, ...second }]), exactly(want));
    look.close();
  });
}

t.test('the confirmed identity is the first look’s, with the pidfd that was open all the time', async (t) => {
  const pid = await idler(t);
  const look = firstLook({ pid });
  const [sight] = look.sights();
  const [found] = secondLook(look, [{ pid }]);
  t.equal(found?.state === 'confirmed' && sight?.state === 'held' && found.pidfd === sight.pidfd, true);
  t.same(found?.target.identity, sight?.target.identity);
  look.close();
});

t.test('looks that are too close together confirm nothing yet', async (t) => {
  const pid = await idler(t);
  const look = firstLook({ pid });
  t.match(
    secondLook(look, [{ pid }], { confirmAfterMs: 60_000 }),
    exactly({ state: 'early', detail: /less than 60000 ms/ }),
  );
  t.match(
    secondLook(look, [{ pid }], { confirmAfterMs: 60_000, now: performance.now() + 60_001 }),
    exactly({ state: 'confirmed' }),
  );
  look.close();
});

t.test('each target may have its own least time', async (t) => {
  const [one, other] = [await idler(t), await idler(t)];
  const look = firstLook({ pid: one }, { pid: other, reason: 'container-gone' });
  const said: Said[] = [{ pid: one }, { pid: other, reason: 'container-gone' }];
  t.match(
    secondLook(look, said, { confirmAfterMs: ({ reason }) => (reason === 'container-gone' ? 0 : 60_000) }),
    exactly({ state: 'early' }, { state: 'confirmed' }),
  );
  look.close();
});

t.test('a process that started during the first look is refused, however long ago that was', async (t) => {
  const pid = await idler(t);
  const look = new FirstLook({ proc });
  const report = { ...reportOf([{ pid }]), takenAt: new Date(Date.now() - 60_000).toISOString() };
  look.observe(report, planTargets(report, { suspects: false }));
  t.match(
    secondLook(look, [{ pid }], { now: performance.now() + 60_000 }),
    exactly({ state: 'refused', detail: /^younger than the first look/ }),
  );
  look.close();
});

t.test('one that exited between the looks is gone, the other is confirmed', async (t) => {
  const [ended, kept] = [await idler(t), await idler(t)];
  const look = firstLook({ pid: ended }, { pid: kept });
  process.kill(ended, 'SIGKILL');
  await until(() => !runs(ended));
  t.match(
    secondLook(look, [{ pid: ended }, { pid: kept }]),
    exactly(
      { state: 'gone', detail: /^exited between the looks/ },
      { state: 'confirmed', target: { identity: { pid: kept } } },
    ),
  );
  look.close();
});

t.test('after a boot nothing is confirmed', async (t) => {
  const pid = await idler(t);
  const look = firstLook({ pid });
  const second = { ...reportOf([{ pid }]), bootId: 'another' };
  t.match(
    confirm(look, second, { confirmAfterMs: 0, now: performance.now() }),
    exactly({ state: 'refused', detail: /booted/ }),
  );
  look.close();
});

t.test('without pidfd the detail names the call that failed', async (t) => {
  const pid = await idler(t);
  const look = new FirstLook({
    proc,
    openPidFd: () => {
      throw new PidFdUnavailableError('pidfd_open', 'EPERM');
    },
  });
  const report = reportOf([{ pid }]);
  look.observe(report, planTargets(report, { suspects: false }));
  t.match(secondLook(look, [{ pid }]), exactly({ state: 'refused', detail: /^pidfd_open: EPERM/ }));
});

t.test(
  'a pid that was reused between the looks is not confirmed, even with the old start time on paper',
  async (t) => {
    if (!needs(t, 'root')) return;
    const descriptors = openDescriptors();
    const pid = await idler(t);
    const look = firstLook({ pid });
    const before = readStat(proc, pid)?.startTime ?? 0;
    process.kill(pid, 'SIGKILL');
    await until(() => readStat(proc, pid) === undefined);
    const innocent = await reuse(t, pid, 'exec sleep 100');

    t.equal(innocent, pid);
    t.match(secondLook(look, [{ pid }]), exactly({ state: 'gone' }));
    // Worse than the kernel's 10 ms ticks: a report that claims the very same start time.
    t.match(secondLook(look, [{ pid, startTime: before }]), exactly({ state: 'gone' }));
    t.ok(runs(innocent), 'the innocent process lives');
    look.close();
    t.ok(openDescriptors() <= descriptors + 1);
  },
);
