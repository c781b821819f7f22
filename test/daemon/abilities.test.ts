import t from 'tap';
import { hasCapability, readAbilities } from '../../src/daemon/abilities.ts';
import { needs } from '../helpers/needs.ts';

t.test('a capability is a bit of the effective set, not of another line', (t) => {
  t.equal(hasCapability('CapPrm:\t0000000000000020\nCapEff:\t0000000000000020\n', 5n), true);
  t.equal(hasCapability('CapPrm:\t0000000000000020\nCapEff:\t0000000000000000\n', 5n), false);
  t.equal(hasCapability('Name:\tCapEff: 20\nCapEff:\t0000000000000000\n', 5n), false);
  t.equal(hasCapability('', 5n), false);
  t.end();
});

t.test('root with a writable state directory may do everything', (t) => {
  if (!needs(t, 'root')) return;
  t.same(readAbilities({ root: '/proc' }, t.testdir()), {
    pidfd: undefined,
    maySignal: true,
    journal: undefined,
  });
  t.end();
});

t.test('a state directory that takes no journal is told of with the reason', (t) => {
  const { journal } = readAbilities({ root: '/proc' }, '/dev/null/nothing');
  t.match(journal, /\/dev\/null\/nothing/);
  t.end();
});
