import t from 'tap';
import { passedSockets } from '../../src/daemon/passed-sockets.ts';

const env = { LISTEN_PID: '4711', LISTEN_FDS: '2', LISTEN_FDNAMES: 'http:control' };

t.test('sockets are told apart by their names, whatever their order', (t) => {
  t.same(passedSockets(env, 4711), [
    { fd: 3, name: 'http' },
    { fd: 4, name: 'control' },
  ]);
  t.end();
});

const none: [name: string, env: Record<string, string>][] = [
  ['nothing was passed', {}],
  ['they were passed to another process', { ...env, LISTEN_PID: '4712' }],
  ['the pid only begins like ours', { ...env, LISTEN_PID: '4711x' }],
  ['the number is none', { ...env, LISTEN_FDS: 'two' }],
  ['the number is negative', { ...env, LISTEN_FDS: '-1' }],
  ['the number is absurd', { ...env, LISTEN_FDS: '1000000' }],
];
for (const [name, given] of none) {
  t.test(`there are no sockets when ${name}`, (t) => {
    t.same(passedSockets(given, 4711), []);
    t.end();
  });
}

t.test('a socket without a name is there all the same', (t) => {
  t.same(passedSockets({ LISTEN_PID: '1', LISTEN_FDS: '2', LISTEN_FDNAMES: 'control' }, 1), [
    { fd: 3, name: 'control' },
    { fd: 4, name: '' },
  ]);
  t.end();
});
