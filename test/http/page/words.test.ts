import t from 'tap';
import { age, bytes, clock, count, duration } from '../../../src/http/page/words.ts';

const plain = (text: string) => text.replaceAll('\u00a0', ' ');

t.test('durations are as long as they need to be', (t) => {
  const cases: [number, string][] = [
    [0, '0 ms'],
    [1.26, '1.3 ms'],
    [13.7, '14 ms'],
    [1_234, '1.2 s'],
    [15_000, '15 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 min'],
    [90_000_000, '1 d 1 h'],
    [86_400_000 * 3, '3 d'],
  ];
  for (const [ms, text] of cases) t.equal(plain(duration(ms)), text);
  t.equal(plain(age(-5)), '0 s');
  t.equal(plain(age(3_400)), '3 s');
  t.notMatch(duration(7_500_000), / /, 'no line breaks within');
  t.end();
});

t.test('numbers, sizes and times', (t) => {
  t.equal(count(1, 'process'), '1 process');
  t.equal(count(2, 'process'), '2 processes');
  t.equal(count(0, 'orphan'), '0 orphans');
  t.equal(bytes(999), '999 B');
  t.equal(bytes(2_400_000_000), '2.4 GB');
  t.equal(bytes(67_000_000_000), '67 GB');
  const now = Date.parse('2026-01-02T09:00:00Z');
  t.equal(clock('2026-01-02T08:59:01.000Z', now), '08:59:01');
  t.equal(clock('2026-01-01T21:40:12.000Z', now), '2026-01-01 21:40');
  t.end();
});
