import t from 'tap';
import { sleepUntil, systemClock, timestamp } from '../../src/reap/clock.ts';

t.test('a wait is over when the clock says so, however early a timer fires', async (t) => {
  let time = 0;
  const clock = {
    ...systemClock,
    monotonic: () => time,
    // A timer that fires early, as real ones do by part of a millisecond.
    sleep: (ms: number) => {
      time += ms > 1 ? ms - 0.5 : ms;
      return Promise.resolve();
    },
  };
  t.equal(await sleepUntil(clock, 1000), true);
  t.ok(time >= 1000);
});

t.test('an abort ends a wait, before it and within it', async (t) => {
  t.equal(await sleepUntil(systemClock, systemClock.monotonic() + 60_000, AbortSignal.abort()), false);
  t.equal(await sleepUntil(systemClock, systemClock.monotonic() + 60_000, AbortSignal.timeout(10)), false);
});

t.test('times for people are RFC 3339 in UTC', (t) => {
  t.equal(timestamp({ ...systemClock, now: () => 0 }), '1970-01-01T00:00:00.000Z');
  t.end();
});
