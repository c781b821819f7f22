import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { createSupervision, watchdogMs } from '../../src/daemon/supervision.ts';
import { until } from '../helpers/lab/wait.ts';
import { exactly } from '../helpers/exactly.ts';

function supervised(usec: string | undefined, inTime: () => boolean) {
  const states: string[] = [];
  const starved: string[] = [];
  const supervision = createSupervision({
    env: usec === undefined ? {} : { WATCHDOG_USEC: usec, WATCHDOG_PID: '7' },
    pid: 7,
    inTime,
    onStarved: (why) => starved.push(why),
    notify: (state) => states.push(state) > 0,
  });
  return { supervision, states, starved };
}

t.test('systemd is told of readiness, status, reload and stop in its own words', (t) => {
  const { supervision, states } = supervised(undefined, () => true);
  supervision.ready('11 ports watched');
  supervision.status('11 ports watched');
  supervision.status('10 ports watched');
  supervision.reloading();
  supervision.ready('10 ports watched');
  supervision.stopping();
  t.match(
    states,
    exactly(
      'READY=1\nSTATUS=11 ports watched',
      'STATUS=10 ports watched',
      /^RELOADING=1\nMONOTONIC_USEC=\d+$/,
      'READY=1\nSTATUS=10 ports watched',
      'STOPPING=1',
    ),
  );
  t.equal(states.length, 5);
  const usec = Number(/\d+$/.exec(states[2]!)?.[0]);
  t.ok(Math.abs(usec / 1e6 - Number(process.hrtime.bigint()) / 1e9) < 60, 'by CLOCK_MONOTONIC');
  t.end();
});

t.test(
  'the watchdog is fed while sweeps are in time, not before it is ready and not after it stops',
  async (t) => {
    let inTime = true;
    const { supervision, states, starved } = supervised('90000', () => inTime);
    const fed = () => states.filter((state) => state === 'WATCHDOG=1').length;
    await delay(60);
    t.equal(fed(), 0);
    supervision.ready('');
    while (fed() < 2) await delay(5);
    inTime = false;
    const before = fed();
    while (starved.length < 2) await delay(5);
    t.equal(fed(), before);
    t.match(starved[0], /no sweep/);
    inTime = true;
    while (fed() === before) await delay(5);
    supervision.stopping();
    const last = fed();
    await delay(80);
    t.equal(fed(), last);
  },
);

t.test('the watchdog is not fed after the event loop was blocked, and again once it turns', async (t) => {
  const states: string[] = [];
  const starved: string[] = [];
  const supervision = createSupervision({
    env: { WATCHDOG_USEC: '300000' },
    pid: 7,
    inTime: () => true,
    onStarved: (why) => starved.push(why),
    notify: (state) => states.push(state) > 0,
    beatMs: 10,
    longestLagMs: 500,
  });
  supervision.ready('');
  execFileSync('sleep', ['1']);
  await until('the lag to be noticed', () => starved.length > 0);
  t.same([...new Set(starved)], ['the event loop was blocked']);
  await until('it to be fed', () => states.includes('WATCHDOG=1'));
  supervision.stopping();
});

const watchdogs: [name: string, env: Record<string, string>, ms: number | undefined][] = [
  ['none was asked for', {}, undefined],
  ['it is in microseconds', { WATCHDOG_USEC: '30000000' }, 30_000],
  ['it is meant for us', { WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 30_000],
  ['it is meant for another process', { WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, undefined],
  ['it is no number', { WATCHDOG_USEC: 'soon' }, undefined],
  ['it is nought', { WATCHDOG_USEC: '0' }, undefined],
];
for (const [name, env, ms] of watchdogs) {
  t.test(`the watchdog's interval: ${name}`, (t) => {
    t.equal(watchdogMs(env, 7), ms);
    t.end();
  });
}
