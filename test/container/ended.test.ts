import t from 'tap';
import { hasEnded } from '../../src/container/ended.ts';

const cases = [
  { state: 'S', threads: 1, ended: false },
  { state: 'T', threads: 1, ended: false },
  { state: 'Z', threads: 1, ended: true },
  { state: 'Z', threads: 0, ended: true },
  { state: 'Z', threads: 3, ended: false },
  { state: 'X', threads: 0, ended: true },
];
for (const { state, threads, ended } of cases) {
  t.test(`state ${state} with ${threads} threads has ${ended ? '' : 'not '}ended`, (t) => {
    t.equal(hasEnded({ state, threads }), ended);
    t.end();
  });
}
