import t from 'tap';
import { parseSince } from '../../src/cli/since.ts';

const now = Date.parse('2026-03-10T12:00:00.000Z');

const moments: [text: string, at: string | undefined][] = [
  ['90s', '2026-03-10T11:58:30.000Z'],
  ['30m', '2026-03-10T11:30:00.000Z'],
  ['2h', '2026-03-10T10:00:00.000Z'],
  ['7d', '2026-03-03T12:00:00.000Z'],
  ['1w', '2026-03-03T12:00:00.000Z'],
  ['2026-02-28', '2026-02-28T00:00:00.000Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ['2026-03-10T08:30', '2026-03-10T08:30:00.000Z'],
  ['2026-03-10 08:30:15', '2026-03-10T08:30:15.000Z'],
  ['2026-03-10T08:30:15Z', '2026-03-10T08:30:15.000Z'],
  ['2026-03-10t08:30:15z', '2026-03-10T08:30:15.000Z'],
  ['2026-03-10T08:30:15.123456789+02:00', '2026-03-10T06:30:15.123Z'],
  ['2026-03-10T08:30:15-05:30', '2026-03-10T14:00:15.000Z'],
  ['2026-02-30', undefined],
  ['2026-13-01', undefined],
  ['2026-03-10T25:00', undefined],
  ['2026-03-10T08:30:15+99:99', undefined],
  ['2026-3-1', undefined],
  ['yesterday', undefined],
  ['2', undefined],
  ['-2h', undefined],
  ['2h ', undefined],
  ['1500000000', undefined],
  ['2y', undefined],
  ['', undefined],
];

t.test('a time ago, a date and RFC 3339 are moments, anything else is none', (t) => {
  for (const [text, at] of moments) {
    const found = parseSince(text, now);
    t.equal(found === undefined ? undefined : new Date(found).toISOString(), at, JSON.stringify(text));
  }
  t.end();
});
