import t from 'tap';
import { closest } from '../../src/config/closest.ts';

const keys = ['ports', 'patterns', 'containers', 'protocols', 'schedule', 'gracePeriod'];

const cases: [word: string, meant: string | undefined][] = [
  ['prots', 'ports'],
  ['port', 'ports'],
  ['Ports', 'ports'],
  ['shedule', 'schedule'],
  ['gracePeroid', 'gracePeriod'],
  ['grace_period', 'gracePeriod'],
  ['x', undefined],
  ['', undefined],
  ['unrelated', undefined],
  ['p'.repeat(1_000_000), undefined],
];

t.test('a word that is nearly a known one is taken for it, and no other', (t) => {
  for (const [word, meant] of cases) t.equal(closest(word, keys), meant, word.slice(0, 20));
  t.end();
});
