import t, { type Test } from 'tap';
import { Cleanups } from '../../src/daemon/cleanups.ts';
import { createLog } from '../../src/daemon/log.ts';
import { TwoLooks } from '../../src/daemon/two-looks.ts';
import { defaultConfig } from '../../src/config/defaults.ts';
import type { CleanupEntry, CleanupOptions } from '../../src/http/engine.ts';
import { systemClock } from '../../src/reap/clock.ts';
import { readJournal } from '../../src/reap/journal-read.ts';
import { lockCleanup } from '../../src/reap/lock.ts';
import {
  idler,
  lookAt,
  openDescriptors,
  proc,
  reportOf,
  runs,
  type Said,
  stubborn,
  until,
} from '../reap/world.ts';
import { exactly } from '../helpers/exactly.ts';

const wish = { dryRun: false, suspects: false, ports: undefined, by: 'uid 0' };

/** Asks for a clean-up that has to begin. */
function begin(cleanups: Cleanups, options: CleanupOptions) {
  const start = cleanups.request(options);
  if (!start.started) throw new Error(`not begun: ${start.reason}`);
  return start;
}

/** Clean-ups of what the looks say, with short times and a journal of the test's own. */
function cleaning(t: Test, said: () => readonly Said[], { gracePeriodMs = 300 } = {}) {
  const stateDirectory = t.testdir();
  const base = defaultConfig({ env: {}, uid: 0 });
  const config = {
    ...base,
    stateDirectory,
    gracePeriodMs,
    clean: { ...base.clean, confirmAfterMs: 50 },
    sweep: { ...base.sweep, clean: 'orphans' as const, confirmAfterMs: 0 },
  };
  const told: CleanupEntry[] = [];
  const logged: Record<string, unknown>[] = [];
  const cleanups = new Cleanups({
    proc,
    log: createLog('info', {
      write: (line) => void logged.push(JSON.parse(line) as Record<string, unknown>),
    }),
    config: () => config,
    look: () => lookAt(said),
    onChange: (entry) => told.push(entry),
  });
  const confirmed = () => {
    const looks = new TwoLooks({ proc, clock: systemClock });
    const sweep = () => ({
      report: reportOf(said()),
      whole: true,
      beganAt: performance.now(),
      finishedAt: performance.now(),
    });
    looks.see(sweep(), config.sweep);
    const second = sweep();
    const sighting = looks.see(second, config.sweep);
    looks.close();
    return { confirmed: sighting.confirmed, second };
  };
  return { cleanups, told, logged, stateDirectory, confirmed };
}

t.test('a request ends an orphan after two looks, and what came of it stays to be read', async (t) => {
  const pid = await idler(t);
  const { cleanups, told, logged, stateDirectory } = cleaning(t, () => [{ pid }]);
  const start = begin(cleanups, wish);
  t.equal(cleanups.running(), start.id);
  t.match(cleanups.get(start.id), { entry: { state: 'running', trigger: 'api' }, report: undefined });
  const report = await start.done;
  t.notOk(runs(pid));
  t.match(report, {
    id: start.id,
    trigger: 'api',
    ok: true,
    actions: exactly({ pid, outcome: 'terminated' }),
  });
  t.equal(cleanups.running(), undefined);
  t.match(cleanups.get(start.id), {
    entry: { state: 'finished', ok: true, outcomes: { terminated: 1 } },
    report,
  });
  t.same(
    told.map(({ state }) => state),
    ['running', 'finished'],
  );
  t.match(
    readJournal(stateDirectory, proc),
    exactly({ id: start.id, trigger: 'api', state: 'done', outcome: { ok: true } }),
  );
  t.match(logged[0], { msg: 'cleanup requested', by: 'uid 0', cleanup: start.id });
});

t.test('a dry run ends nothing, needs no lock and leaves no journal', async (t) => {
  const pid = await idler(t);
  const { cleanups, stateDirectory } = cleaning(t, () => [{ pid }]);
  const lock = lockCleanup(stateDirectory);
  const start = begin(cleanups, { ...wish, dryRun: true });
  t.match(await start.done, { dryRun: true, actions: exactly({ pid, outcome: 'planned' }) });
  t.ok(runs(pid));
  t.same(readJournal(stateDirectory, proc), []);
  lock.release();
});

t.test('one at a time: a second request is told the id of the first, a sweep leaves it alone', async (t) => {
  const pid = await stubborn(t);
  const { cleanups, confirmed } = cleaning(t, () => [{ pid }]);
  const sighting = confirmed();
  t.equal(sighting.confirmed.length, 1);
  const first = begin(cleanups, wish);
  t.same(cleanups.request({ ...wish, dryRun: true }), { started: false, reason: 'running', id: first.id });
  const before = openDescriptors();
  t.equal(cleanups.act(sighting.confirmed, sighting.second), undefined);
  t.ok(openDescriptors() < before, 'its pidfds are given back');
  await first.done;
  t.notOk(runs(pid));
});

t.test('while another orphand has the lock a request is refused', (t) => {
  const { cleanups, stateDirectory } = cleaning(t, () => []);
  const lock = lockCleanup(stateDirectory);
  t.same(cleanups.request(wish), { started: false, reason: 'locked' });
  lock.release();
  t.end();
});

t.test('what a sweep confirmed is ended under the same lock and journal', async (t) => {
  const pid = await idler(t);
  const { cleanups, told, stateDirectory, confirmed } = cleaning(t, () => [{ pid }]);
  const { confirmed: targets, second } = confirmed();
  const before = openDescriptors();
  const report = await cleanups.act(targets, second);
  t.match(report, { trigger: 'sweep', ok: true, actions: exactly({ pid, outcome: 'terminated' }) });
  t.notOk(runs(pid));
  t.ok(openDescriptors() < before);
  t.match(readJournal(stateDirectory, proc), exactly({ trigger: 'sweep', state: 'done' }));
  t.match(told.at(-1), { trigger: 'sweep', state: 'finished', ok: true });
});

t.test('a clean-up that is refused is on the list with the reason, and nothing was signalled', async (t) => {
  const pid = await idler(t);
  const { cleanups, told, stateDirectory, confirmed } = cleaning(t, () => [{ pid }]);
  const { confirmed: targets, second } = confirmed();
  const lock = lockCleanup(stateDirectory);
  await t.rejects(cleanups.act(targets, second)!, { code: 'locked' });
  lock.release();
  t.ok(runs(pid));
  t.match(told.at(-1), { state: 'failed', ok: false, error: /another clean-up is running/ });
  t.equal(cleanups.running(), undefined);
});

t.test('stopped while it waits for the second look, it ends without a signal', async (t) => {
  const pid = await idler(t);
  const { cleanups } = cleaning(t, () => [{ pid }]);
  const start = begin(cleanups, wish);
  await cleanups.stop(60_000);
  t.match(await start.done, { actions: exactly({ pid, outcome: 'refused', detail: /interrupted/ }) });
  t.ok(runs(pid));
  t.same(cleanups.request(wish), { started: false, reason: 'stopping' });
});

t.test(
  'stopped within the grace period, its outcome is in the journal and the process is not killed',
  async (t) => {
    const pid = await stubborn(t);
    const { cleanups, logged, stateDirectory } = cleaning(t, () => [{ pid }], { gracePeriodMs: 60_000 });
    const start = begin(cleanups, wish);
    const over = t.rejects(start.done, { message: /stopped before the clean-up was over/ });
    await until(() => logged.some(({ msg }) => msg === 'signal sent'));
    await cleanups.stop(10);
    await over;
    t.ok(runs(pid), 'the time it was given had not passed');
    t.match(
      readJournal(stateDirectory, proc),
      exactly({
        id: start.id,
        state: 'done',
        outcome: { ok: false, error: /stopped before/, actions: exactly({ pid, outcome: 'survived' }) },
      }),
    );
    t.match(cleanups.get(start.id)?.entry, { state: 'failed' });
  },
);

t.test('clean-ups of the command line and of former daemons are on the list, newest first', async (t) => {
  const pid = await idler(t);
  const one = cleaning(t, () => [{ pid }]);
  const { confirmed: targets, second } = one.confirmed();
  const report = await one.cleanups.act(targets, second);
  const later = new Cleanups({
    proc,
    log: createLog('silent', { write: () => undefined }),
    config: () => ({ ...defaultConfig(), stateDirectory: one.stateDirectory }),
    look: () => lookAt(() => []),
    onChange: () => undefined,
  });
  t.match(
    later.list(10),
    exactly({ id: report?.id, trigger: 'sweep', state: 'finished', ok: true, outcomes: { terminated: 1 } }),
  );
  t.match(later.get(report?.id ?? ''), { entry: { state: 'finished' }, report: undefined });
  t.equal(later.get('nothing'), undefined);
  const start = begin(later, { ...wish, dryRun: true });
  await start.done;
  t.same(
    later
      .list(10)
      .map(({ id }) => id)
      .slice(0, 2)
      .sort(),
    [start.id, report?.id].sort(),
  );
  t.equal(later.list(1).length, 1);
});
