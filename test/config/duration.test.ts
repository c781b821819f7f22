import t from 'tap';
import { formatDuration, longestMs, parseDuration } from '../../src/config/duration.ts';

const read: [text: string, ms: number | undefined][] = [
  ['500ms', 500],
  ['5s', 5_000],
  ['1.5s', 1_500],
  ['2m', 120_000],
  ['24h', longestMs],
  ['0s', 0],
  ['0.0005s', undefined],
  ['24.001h', undefined],
  // 2^31 ms and more make a timer of node fire at once: a grace period of a month would be none.
  ['600h', undefined],
  ['999999999h', undefined],
  ['5', undefined],
  ['', undefined],
  ['5 s', undefined],
  [' 5s', undefined],
  ['5s\n', undefined],
  ['-5s', undefined],
  ['5S', undefined],
  ['5d', undefined],
  ['1e3s', undefined],
  ['٥s', undefined],
  ['Infinitys', undefined],
];

t.test('a duration is a number with a unit, of at most a day', (t) => {
  for (const [text, ms] of read) t.equal(parseDuration(text), ms, JSON.stringify(text));
  t.end();
});

t.test(
  'a duration is written in the largest unit that needs no fraction, and reads back as the same',
  (t) => {
    const written: [ms: number, text: string][] = [
      [0, '0s'],
      [500, '500ms'],
      [1_500, '1500ms'],
      [12_000, '12s'],
      [90_000, '90s'],
      [120_000, '2m'],
      [longestMs, '24h'],
    ];
    for (const [ms, text] of written) {
      t.equal(formatDuration(ms), text);
      t.equal(parseDuration(text), ms);
    }
    t.end();
  },
);
