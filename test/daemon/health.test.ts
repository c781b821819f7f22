import t from 'tap';
import { healthOf, type Health, type HealthFacts } from '../../src/daemon/health.ts';

const facts: HealthFacts = {
  now: 100_000,
  startedAt: 0,
  lastFinishedAt: 90_000,
  intervalMs: 15_000,
  failure: undefined,
  stopping: false,
};
const cases: [name: string, facts: Partial<HealthFacts>, expected: Health][] = [
  ['a sweep in time: all is well', {}, { healthy: true, ready: true, problem: null }],
  [
    'before the first sweep it is healthy and not ready',
    { lastFinishedAt: undefined, now: 10 },
    { healthy: true, ready: false, problem: 'the first sweep has not finished' },
  ],
  [
    'a first sweep that failed is told with its reason',
    { lastFinishedAt: undefined, now: 10, failure: 'EACCES' },
    { healthy: true, ready: false, problem: 'the first sweep has not finished: EACCES' },
  ],
  ['three intervals are allowed', { lastFinishedAt: 55_000 }, { healthy: true, ready: true, problem: null }],
  [
    'more than three are not',
    { lastFinishedAt: 54_000 },
    { healthy: false, ready: true, problem: 'no sweep has finished for 46 s' },
  ],
  [
    'sweeps that only fail count for nothing',
    { lastFinishedAt: 40_000, failure: '/proc: EIO' },
    { healthy: false, ready: true, problem: 'no sweep has finished for 60 s: /proc: EIO' },
  ],
  [
    'one failure between good sweeps is no problem',
    { failure: '/proc: EIO' },
    { healthy: true, ready: true, problem: null },
  ],
  [
    'a first sweep that never ends is a problem in the end',
    { lastFinishedAt: undefined },
    { healthy: false, ready: false, problem: 'no sweep has finished for 100 s' },
  ],
  [
    'on its way out it is not ready',
    { stopping: true },
    { healthy: true, ready: false, problem: 'orphand is stopping' },
  ],
];
for (const [name, given, expected] of cases) {
  t.test(name, (t) => {
    t.same(healthOf({ ...facts, ...given }), expected);
    t.end();
  });
}
