import { join } from 'node:path';
import t from 'tap';
import { lookBeganAt } from '../../src/reap/uptime.ts';
import { reportOf } from './world.ts';

const takenAt = '2026-01-02T03:04:05.000Z';
const now = Date.parse(takenAt);
const report = (durationMs: number): ReturnType<typeof reportOf> => ({
  ...reportOf([]),
  takenAt,
  durationMs,
});

t.test('a look began its age before the uptime, in ticks of 10 ms, rounded to the early side', (t) => {
  const root = t.testdir({ uptime: '1000.50 1900.00\n' });
  t.equal(lookBeganAt({ root }, report(0), now), 100_050);
  t.equal(lookBeganAt({ root }, report(20), now + 31), 100_046);
  t.equal(lookBeganAt({ root }, report(0.1), now), 100_049);
  t.equal(
    lookBeganAt({ root }, report(0), now - 3_600_000),
    100_050,
    'a clock that was set back takes nothing off',
  );
  t.end();
});

t.test('an uptime that is none is an error, not a time', (t) => {
  const root = t.testdir({ uptime: 'soon\n' });
  t.throws(() => lookBeganAt({ root }, report(0), now), { name: 'MalformedError', file: `${root}/uptime` });
  t.throws(() => lookBeganAt({ root: join(root, 'none') }, report(0), now), { name: 'MalformedError' });
  t.end();
});
