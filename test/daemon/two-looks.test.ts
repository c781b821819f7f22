import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Swept } from '../../src/daemon/sweeper.ts';
import { type Sighting, TwoLooks } from '../../src/daemon/two-looks.ts';
import type { Clock } from '../../src/reap/clock.ts';
import { idler, openDescriptors, plant, proc, reportOf, type Said } from '../reap/world.ts';

/** Two looks by a clock that a test moves. */
function looking(t: Test) {
  let ahead = 0;
  const clock: Clock = {
    now: () => Date.now(),
    monotonic: () => performance.now() + ahead,
    sleep: () => Promise.reject(new Error('nothing waits here')),
  };
  const looks = new TwoLooks({ proc, clock });
  t.teardown(() => {
    looks.close();
  });
  const sweep = (said: readonly Said[], whole: boolean): Swept => {
    const beganAt = clock.monotonic();
    return { report: reportOf(said), whole, beganAt, finishedAt: clock.monotonic() };
  };
  const see = (said: readonly Said[], clean: 'off' | 'orphans' | 'suspects' = 'orphans', whole = true) => {
    const sighting = looks.see(sweep(said, whole), { clean, confirmAfterMs: 12_000 });
    t.teardown(() => {
      for (const { pidfd } of sighting.confirmed) pidfd.close();
    });
    return sighting;
  };
  return {
    looks,
    see,
    pass: (ms: number) => {
      ahead += ms;
    },
    now: () => clock.monotonic(),
  };
}

const pids = ({ confirmed, first }: Sighting) => ({
  confirmed: confirmed.map(({ target }) => target.identity.pid),
  first: first.map(({ identity }) => identity.pid),
});

t.test('one look confirms nothing, and says when another can', async (t) => {
  const { see, now } = looking(t);
  const pid = await idler(t);
  const sighting = see([{ pid }]);
  t.same(pids(sighting), { confirmed: [], first: [pid] });
  t.ok(Math.abs(sighting.dueAt! - (now() + 12_000)) < 1_000);
});

t.test('only a sweep that read everything confirms', async (t) => {
  const { see, pass, now } = looking(t);
  const pid = await idler(t);
  t.same(
    pids(see([{ pid }], 'orphans', false)),
    { confirmed: [], first: [pid] },
    'any may be the first look',
  );
  pass(12_100);
  const sighting = see([{ pid }], 'orphans', false);
  t.same(pids(sighting), { confirmed: [], first: [] });
  t.ok(sighting.dueAt! <= now(), 'one that can is due');
  t.same(pids(see([{ pid }])), { confirmed: [pid], first: [] });
});

t.test('a second look confirms when the time between them has passed, and not before', async (t) => {
  const { see, pass } = looking(t);
  const pid = await idler(t);
  see([{ pid }]);
  pass(11_000);
  t.same(pids(see([{ pid }])), { confirmed: [], first: [] });
  pass(1_100);
  const sighting = see([{ pid }]);
  t.same(pids(sighting), { confirmed: [pid], first: [] });
  see([{ pid }]);
  t.equal(
    sighting.confirmed[0]?.pidfd.hasExited(),
    false,
    'it is held for the clean-up, whatever is seen meanwhile',
  );
});

t.test('what a look between them called alive starts anew', async (t) => {
  const { see, pass } = looking(t);
  const pid = await idler(t);
  see([{ pid }]);
  pass(6_000);
  see([{ pid, verdict: 'container', reason: 'supervised' }]);
  pass(7_000);
  t.same(pids(see([{ pid }])), { confirmed: [], first: [pid] });
  pass(12_100);
  t.same(pids(see([{ pid }])).confirmed, [pid]);
});

t.test('a suspect is no target unless the configuration says so', async (t) => {
  const { see, pass } = looking(t);
  const pid = await idler(t);
  const said: Said[] = [{ pid, verdict: 'suspect', reason: 'supervisor-dead' }];
  see(said);
  pass(12_100);
  t.same(pids(see(said)), { confirmed: [], first: [] });
  t.same(pids(see(said, 'suspects')), { confirmed: [], first: [pid] });
  pass(12_100);
  t.same(pids(see(said, 'suspects')).confirmed, [pid]);
});

t.test('a suspect that was to be ended is left alone when the configuration says orphans only', async (t) => {
  const { see, pass } = looking(t);
  const pid = await idler(t);
  const said: Said[] = [{ pid, verdict: 'suspect', reason: 'supervisor-dead' }];
  see(said, 'suspects');
  pass(12_100);
  t.same(pids(see(said, 'orphans')).confirmed, []);
});

t.test('an orphan that has become a suspect is not confirmed as one', async (t) => {
  const { see, pass } = looking(t);
  const pid = await idler(t);
  see([{ pid }]);
  pass(12_100);
  t.same(pids(see([{ pid, verdict: 'suspect', reason: 'supervisor-dead' }])).confirmed, []);
});

t.test('with clean: off nothing is remembered, whatever was before', async (t) => {
  const { see, pass } = looking(t);
  const pid = await idler(t);
  see([{ pid }]);
  const before = openDescriptors();
  pass(12_100);
  t.same(see([{ pid }], 'off'), { confirmed: [], first: [], dueAt: undefined });
  t.ok(openDescriptors() < before, 'the pidfd is given back');
  t.same(pids(see([{ pid }])), { confirmed: [], first: [pid] }, 'and two looks are needed again');
});

t.test(
  'a process that exits between the looks is not confirmed, even if its pid is listed again',
  async (t) => {
    const { see, pass } = looking(t);
    const pid = await plant(t, ['sleep', '0.2'], 'sleep');
    see([{ pid }]);
    const again = reportOf([{ pid }]);
    await delay(400);
    pass(12_100);
    t.same(pids(see([{ pid, startTime: again.processes[0]!.startTime }])).confirmed, []);
  },
);

t.test(
  'what could not be ended is left for a while, longer each time, and two looks still hold',
  async (t) => {
    const { looks, see, pass } = looking(t);
    const pid = await idler(t);
    see([{ pid }]);
    pass(12_100);
    const { confirmed } = see([{ pid }]);
    looks.pause(confirmed.map(({ target }) => target));
    see([{ pid }]);
    pass(50_000);
    t.same(pids(see([{ pid }])).confirmed, [], 'within the first minute');
    pass(11_000);
    const second = see([{ pid }]);
    t.same(pids(second).confirmed, [pid], 'after it');
    looks.pause(second.confirmed.map(({ target }) => target));
    see([{ pid }]);
    pass(110_000);
    const third = see([{ pid }]);
    t.same(pids(third).confirmed, [], 'the second time it is two minutes');
    t.equal(third.dueAt, undefined, 'and no sweep is asked for meanwhile');
    pass(11_000);
    t.same(pids(see([{ pid }])).confirmed, [pid]);
  },
);

t.test('after a reset what was seen needs two looks again', async (t) => {
  const { looks, see, pass } = looking(t);
  const pid = await idler(t);
  see([{ pid }]);
  pass(12_100);
  looks.reset();
  t.same(pids(see([{ pid }])), { confirmed: [], first: [pid] });
});
