import t from 'tap';
import { listPids } from '../../src/procfs/pids.ts';

t.test('the processes of a tree are its numbered directories, ascending', (t) => {
  const root = t.testdir({ 300: {}, 20: {}, 1: {}, self: {}, net: {}, stat: 'btime 1\n', '4x': {} });
  t.same(listPids({ root }), [1, 20, 300]);
  t.end();
});

t.test('this process is among those of the host', (t) => {
  t.ok(listPids({ root: '/proc' }).includes(process.pid));
  t.end();
});

t.test('a procfs that is not there is an error, not a host without processes', (t) => {
  const root = `${t.testdir({})}/proc`;
  t.throws(() => listPids({ root }), { name: 'UnreadableError', file: root, code: 'ENOENT' });
  t.end();
});
