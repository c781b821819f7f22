import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { Sweeper, type Swept } from '../../src/daemon/sweeper.ts';
import type { SweepRecord, SweepTrigger } from '../../src/http/engine.ts';
import type { Report } from '../../src/model.ts';
import { systemClock } from '../../src/reap/clock.ts';
import { sampleReport } from '../helpers/sample-report.ts';
import { exactly } from '../helpers/exactly.ts';

/** A sweeper whose looks end when the test says so. */
function sweeping() {
  const looks: { done: (report: Report) => void; fail: (error: Error) => void }[] = [];
  const told: [SweepRecord, Swept | undefined][] = [];
  const sweeper = new Sweeper({
    look: () => new Promise((done, fail) => looks.push({ done, fail })),
    clock: systemClock,
    fullScanEvery: () => 20,
    onSweep: (record, swept) => told.push([record, swept]),
  });
  return { sweeper, looks, told, results: () => told.map(([{ trigger, result }]) => `${trigger} ${result}`) };
}

t.test('a request while a sweep runs joins it', async (t) => {
  const { sweeper, looks, results } = sweeping();
  const [one, two] = [sweeper.run('start'), sweeper.run('request')];
  await turn();
  t.equal(looks.length, 1);
  const report = sampleReport([]);
  looks[0]!.done(report);
  t.equal(await one, report);
  t.equal(await two, report);
  t.same(results(), ['start ok']);
});

t.test('what is due while a sweep runs is skipped, and counted', async (t) => {
  const { sweeper, looks, told, results } = sweeping();
  const first = sweeper.run('start');
  sweeper.due('schedule');
  await turn();
  t.equal(looks.length, 1);
  t.match(told[0]![0], { result: 'skipped', error: /still runs/, summary: null });
  looks[0]!.done(sampleReport([]));
  await first;
  sweeper.due('schedule');
  await turn();
  t.equal(looks.length, 2);
  looks[1]!.done(sampleReport([]));
  await turn();
  t.same(results(), ['schedule skipped', 'start ok', 'schedule ok']);
  t.equal(sweeper.newest()?.trigger, 'schedule');
});

t.test('what has to be looked at afresh follows the sweep that runs, once', async (t) => {
  const { sweeper, looks, results } = sweeping();
  const first = sweeper.run('schedule');
  await turn();
  for (let death = 0; death < 5; death += 1) sweeper.afresh('supervisor-death');
  looks[0]!.done(sampleReport([]));
  await first;
  await turn();
  t.equal(looks.length, 2);
  looks[1]!.done(sampleReport([]));
  await turn();
  t.equal(looks.length, 2);
  t.same(results(), ['schedule ok', 'supervisor-death ok']);
});

t.test('a sweep that fails is told with its reason, and the last report stays', async (t) => {
  const { sweeper, looks, told } = sweeping();
  const report = sampleReport([]);
  const good = sweeper.run('start');
  await turn();
  looks[0]!.done(report);
  await good;
  const bad = sweeper.run('request');
  await turn();
  looks[1]!.fail(new Error('/proc: EACCES'));
  await t.rejects(bad, { message: '/proc: EACCES' });
  t.match(
    told[1],
    exactly({ trigger: 'request', result: 'failed', error: '/proc: EACCES', summary: null }, undefined),
  );
  t.equal(sweeper.last()?.report, report);
  t.match(sweeper.newest(), { result: 'failed' });
  const next = sweeper.run('schedule');
  await turn();
  looks[2]!.done(report);
  t.equal(await next, report, 'the next one may succeed');
});

t.test('a failure that nobody waits for ends nothing', async (t) => {
  const { sweeper, looks, results } = sweeping();
  sweeper.due('schedule');
  await turn();
  looks[0]!.fail(new Error('no'));
  await turn();
  t.same(results(), ['schedule failed']);
});

t.test('when it is told, the report is there', async (t) => {
  let seen: Report | undefined;
  const report = sampleReport([]);
  const sweeper: Sweeper = new Sweeper({
    look: () => Promise.resolve(report),
    clock: systemClock,
    fullScanEvery: () => 20,
    onSweep: () => {
      seen = sweeper.last()?.report;
    },
  });
  await sweeper.run('start');
  t.equal(seen, report);
});

t.test('the newest records come oldest first, and old ones are dropped', async (t) => {
  const sweeper = new Sweeper({
    look: () => Promise.resolve(sampleReport([])),
    clock: systemClock,
    fullScanEvery: () => 20,
    onSweep: () => undefined,
  });
  await sweeper.run('start');
  for (let i = 0; i < 600; i += 1) sweeper.skip('schedule', `number ${i}`);
  t.same(
    sweeper.records(2).map(({ error }) => error),
    ['number 598', 'number 599'],
  );
  t.equal(sweeper.records(10_000).length, 500);
  t.same(sweeper.records(0), []);
});

t.test('sweeps by the clock trust in what was seen before, and one of so many does not', async (t) => {
  const wholes: (boolean | undefined)[] = [];
  let fails = false;
  const sweeper = new Sweeper({
    look: ({ whole } = {}) => {
      wholes.push(whole);
      return fails ? Promise.reject(new Error('EIO')) : Promise.resolve(sampleReport([]));
    },
    clock: systemClock,
    fullScanEvery: () => 3,
    onSweep: () => undefined,
  });
  const seen = async (...triggers: SweepTrigger[]) => {
    wholes.length = 0;
    for (const trigger of triggers) await sweeper.run(trigger).catch(() => undefined);
    return wholes;
  };
  t.same(await seen('schedule'), [true], 'the first');
  t.same(await seen('schedule', 'supervisor-death', 'schedule', 'schedule', 'schedule'), [
    false,
    false,
    true,
    false,
    false,
  ]);
  t.same(await seen('request', 'schedule', 'confirm', 'start', 'reload'), [true, false, true, true, true]);
  t.equal(sweeper.last()?.whole, true);
  await seen('schedule');
  t.equal(sweeper.last()?.whole, false);
  sweeper.forget();
  t.same(await seen('schedule', 'schedule'), [true, false], 'after another configuration');
  fails = true;
  await seen('schedule');
  fails = false;
  t.same(await seen('schedule', 'schedule'), [true, false], 'after one that failed');
});

t.test(
  'a request does not join a sweep that trusts in what was seen: one that is whole follows',
  async (t) => {
    const { sweeper, looks, results } = sweeping();
    const first = sweeper.run('start');
    await turn();
    looks[0]!.done(sampleReport([]));
    await first;
    const scheduled = sweeper.run('schedule');
    const asked = sweeper.run('request');
    await turn();
    t.equal(looks.length, 2);
    looks[1]!.done(sampleReport([]));
    await scheduled;
    await turn();
    t.equal(looks.length, 3);
    const report = sampleReport([]);
    looks[2]!.done(report);
    t.equal(await asked, report);
    t.same(results(), ['start ok', 'schedule ok', 'request ok']);
  },
);

t.test('stopped, it begins nothing and does not wait for a look that hangs', async (t) => {
  const { sweeper, looks } = sweeping();
  const hanging = sweeper.run('start');
  await turn();
  sweeper.afresh('confirm');
  await sweeper.stop(1);
  looks[0]!.done(sampleReport([]));
  await hanging;
  await turn();
  t.equal(looks.length, 1, 'nothing follows');
  sweeper.due('schedule');
  await turn();
  t.equal(looks.length, 1);
  await t.rejects(sweeper.run('request'), { message: /stopping/ });
});
