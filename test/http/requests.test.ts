import t from 'tap';
import { ProblemError } from '../../src/http/problem.ts';
import { createRequestLimit } from '../../src/http/requests.ts';

/** A limit of 2 at a time that the test sets; what a caller is told: `ok`, or the seconds to wait. */
function limited() {
  const clock = { now: 1_000 };
  const count = createRequestLimit(2, () => clock.now);
  const ask = (caller: string) => {
    try {
      count(caller);
      return 'ok';
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      return `${error.code} ${error.headers['retry-after']}`;
    }
  };
  return { clock, ask };
}

t.test('what goes beyond the limit is told how long to wait, until the minute is over', (t) => {
  const { clock, ask } = limited();
  t.same([ask('a'), ask('a'), ask('a')], ['ok', 'ok', 'rate-limited 60']);
  clock.now += 30_500;
  t.equal(ask('a'), 'rate-limited 30', 'and asking on does not make it longer');
  clock.now += 29_499;
  t.equal(ask('a'), 'rate-limited 1');
  clock.now += 1;
  t.same([ask('a'), ask('a'), ask('a')], ['ok', 'ok', 'rate-limited 60']);
  t.end();
});

t.test('callers do not count against each other', (t) => {
  const { ask } = limited();
  t.same([ask('a'), ask('a'), ask('b'), ask('a')], ['ok', 'ok', 'ok', 'rate-limited 60']);
  t.end();
});

t.test('of many callers the oldest is forgotten, not the one that asked last', (t) => {
  const { clock, ask } = limited();
  for (let caller = 0; caller < 5_000; caller += 1) {
    clock.now += 1;
    ask(`address ${caller}`);
    ask(`address ${caller}`);
  }
  t.match(ask('address 0'), /^rate-limited/, '5,000 are kept');
  ask('one more');
  t.match(ask('address 4999'), /^rate-limited/);
  t.match(ask('address 1'), /^rate-limited/);
  t.equal(ask('address 0'), 'ok');
  t.end();
});
