import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { CleanReport, Report } from '../../src/model.ts';
import { actOn, cleanupId } from '../../src/reap/act.ts';
import { systemClock } from '../../src/reap/clock.ts';
import { confirm, type Confirmation } from '../../src/reap/confirm.ts';
import type { CleanupDeps } from '../../src/reap/deps.ts';
import { FirstLook } from '../../src/reap/first-look.ts';
import { readJournal } from '../../src/reap/journal-read.ts';
import { lockCleanup } from '../../src/reap/lock.ts';
import { planTargets } from '../../src/reap/plan.ts';
import {
  childrenOf,
  idler,
  lookAt,
  openDescriptors,
  plant,
  proc,
  reportOf,
  runs,
  until,
  type Said,
} from './world.ts';
import { exactly } from '../helpers/exactly.ts';

function setUp(t: Test, look: () => readonly Said[], more: Partial<CleanupDeps> = {}): CleanupDeps {
  const stateDirectory = join(t.testdir(), 'state');
  return { look: lookAt(look), proc, gracePeriodMs: 300, maxTargets: 64, stateDirectory, ...more };
}

/** As the daemon does it: every sweep compares with what it remembers, acts on what is confirmed, and remembers the rest. */
class Sweeper {
  readonly first = new FirstLook({ proc });
  readonly #deps: CleanupDeps;
  readonly #confirmAfterMs: number;

  constructor(deps: CleanupDeps, confirmAfterMs: number) {
    this.#deps = deps;
    this.#confirmAfterMs = confirmAfterMs;
  }

  async sweep(): Promise<CleanReport | undefined> {
    const now = performance.now();
    const second = await this.#deps.look();
    const confirmAfterMs = this.#confirmAfterMs;
    const confirmations = confirm(this.first, second, { confirmAfterMs, now });
    let report: CleanReport | undefined;
    if (confirmations.some(({ state }) => state === 'confirmed')) {
      report = await actOn(this.#deps, { trigger: 'sweep', confirmations, second, confirmAfterMs });
      for (const { target } of confirmations) this.first.forget(target);
    }
    this.first.observe(
      second,
      planTargets(second, { suspects: false }).filter(({ identity }) => runs(identity.pid)),
    );
    return report;
  }
}

t.test('two sweeps far enough apart end an orphan, two that are not don’t', async (t) => {
  const [pid, live] = [await idler(t), await idler(t)];
  const deps = setUp(t, () => [
    { pid, ports: [8091] },
    { pid: live, verdict: 'container' },
  ]);
  const sweeper = new Sweeper(deps, 150);
  t.equal(await sweeper.sweep(), undefined);
  t.equal(await sweeper.sweep(), undefined);
  t.ok(runs(pid));
  await systemClock.sleep(200);
  const report = await sweeper.sweep();
  t.match(report, { trigger: 'sweep', ok: true, actions: exactly({ pid, outcome: 'terminated' }) });
  t.equal(report?.actions.length, 1);
  t.ok(runs(live));
  t.match(readJournal(deps.stateDirectory, proc), exactly({ id: report?.id, state: 'done' }));
  sweeper.first.close();
});

t.test('an orphan that was alive at one sweep in between starts anew', async (t) => {
  const pid = await idler(t);
  let looks = 0;
  const deps = setUp(t, () => {
    looks += 1;
    return [{ pid, verdict: looks === 2 ? 'container' : 'orphan' }];
  });
  const sweeper = new Sweeper(deps, 100);
  await sweeper.sweep();
  await systemClock.sleep(150);
  t.equal(await sweeper.sweep(), undefined);
  t.equal(await sweeper.sweep(), undefined, 'its first sight was forgotten');
  t.ok(runs(pid));
  sweeper.first.close();
});

async function confirmed(
  said: Said[],
): Promise<{ first: FirstLook; second: Report; confirmations: Confirmation[] }> {
  const first = new FirstLook({ proc });
  const second = reportOf(said);
  first.observe(second, planTargets(second, { suspects: true }));
  await systemClock.sleep(1);
  return {
    first,
    second,
    confirmations: confirm(first, second, { confirmAfterMs: 0, now: performance.now() }),
  };
}

t.test('what is too early is no part of the clean-up, what was refused or has gone is told', async (t) => {
  const [pid, early, refused] = [await idler(t), await idler(t), await idler(t)];
  const { first, second, confirmations } = await confirmed([{ pid }, { pid: early }, { pid: refused }]);
  const detail = 'because';
  const mixed = confirmations.map((each): Confirmation => {
    if (each.target.identity.pid === early) return { state: 'early', target: each.target, detail };
    if (each.target.identity.pid === refused) return { state: 'refused', target: each.target, detail };
    return each;
  });
  const deps = setUp(t, () => [{ pid }]);
  const report = await actOn(deps, {
    trigger: 'api',
    confirmations: mixed,
    second,
    confirmAfterMs: 0,
    id: 'mine',
  });
  t.match(report, {
    id: 'mine',
    actions: exactly({ pid, outcome: 'terminated' }, { pid: refused, outcome: 'refused', detail }),
  });
  t.equal(report.actions.length, 2);
  t.same([early, refused].map(runs), [true, true]);
  first.close();
});

t.test('nothing confirmed takes neither lock nor journal', async (t) => {
  const deps = setUp(t, () => []);
  const report = await actOn(deps, {
    trigger: 'sweep',
    confirmations: [],
    second: reportOf([]),
    confirmAfterMs: 0,
  });
  t.match(report, { ok: true, actions: exactly() });
  t.notOk(existsSync(deps.stateDirectory));
});

t.test('the lock of another keeps everything as it is', async (t) => {
  const pid = await idler(t);
  const { first, second, confirmations } = await confirmed([{ pid }]);
  const deps = setUp(t, () => [{ pid }]);
  const lock = lockCleanup(deps.stateDirectory);
  await t.rejects(actOn(deps, { trigger: 'sweep', confirmations, second, confirmAfterMs: 0 }), {
    code: 'locked',
  });
  lock.release();
  t.ok(runs(pid));
  first.close();
});

t.test(
  'targets and their forks together count for maxTargets; nothing is signalled or on record when they are too many',
  async (t) => {
    const pid = await plant(t, ['sh', '-c', 'sleep 100 & sleep 100 & wait'], 'sh');
    await until(() => childrenOf(pid).length === 2);
    const children = childrenOf(pid);
    const { first, second, confirmations } = await confirmed([{ pid }]);
    const deps = setUp(t, () => [{ pid }], { maxTargets: 2 });
    const before = openDescriptors();
    const options = { trigger: 'sweep' as const, confirmations, second, confirmAfterMs: 0 };
    await t.rejects(actOn(deps, options), { code: 'too-many-targets', message: /^3 processes/ });
    t.same([pid, ...children].map(runs), [true, true, true]);
    t.same(readJournal(deps.stateDirectory, proc), []);
    t.equal(openDescriptors(), before);
    t.match(await actOn(deps, { ...options, force: true }), { ok: true });
    t.same([pid, ...children].map(runs), [false, false, false]);
    first.close();
  },
);

t.test('the confirmed pidfds stay the caller’s', async (t) => {
  const pid = await idler(t);
  const { first, second, confirmations } = await confirmed([{ pid }]);
  await actOn(
    setUp(t, () => []),
    { trigger: 'sweep', confirmations, second, confirmAfterMs: 0 },
  );
  const [sight] = first.sights();
  t.equal(sight?.state === 'held' && sight.pidfd.hasExited(), true);
  first.close();
});

t.test('an intent that can’t be written is a refusal: nothing is signalled', async (t) => {
  const pid = await idler(t);
  const { first, second, confirmations } = await confirmed([{ pid }]);
  const deps = setUp(t, () => [{ pid }]);
  // The line can't be made, as little as a full disk takes it.
  const broken = confirmations.map((each) => ({ ...each, target: { ...each.target, uid: 1n as never } }));
  await t.rejects(actOn(deps, { trigger: 'sweep', confirmations: broken, second, confirmAfterMs: 0 }), {
    code: 'no-journal',
  });
  t.ok(runs(pid));
  first.close();
});

t.test('ids sort by time and are safe in a URL', (t) => {
  t.match(
    cleanupId({ ...systemClock, now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678) }),
    /^20260102T030405Z-[0-9a-f]{6}$/,
  );
  t.not(cleanupId(systemClock), cleanupId(systemClock));
  t.end();
});
