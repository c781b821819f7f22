import { spawn } from 'node:child_process';
import t from 'tap';
import { parseEnviron, readEnviron } from '../../src/procfs/environ.ts';

const cases: [string, string | Buffer, [string, string][]][] = [
  [
    'ordinary variables',
    'A=1\0B=2\0',
    [
      ['A', '1'],
      ['B', '2'],
    ],
  ],
  ['a value with equals signs and newlines', 'A=x=y\nB=3\0', [['A', 'x=y\nB=3']]],
  ['an empty value', 'A=\0', [['A', '']]],
  ['a name that occurs twice', 'A=1\0A=2\0', [['A', '1']]],
  ['text that is no variable', 'x\0=y\0\0A=1', [['A', '1']]],
  [
    'names of object properties',
    '__proto__=1\0constructor=2\0',
    [
      ['__proto__', '1'],
      ['constructor', '2'],
    ],
  ],
  ['bytes that are not UTF-8', Buffer.from([0x41, 0x3d, 0xff, 0]), [['A', '\ufffd']]],
  ['nothing', '', []],
];
for (const [name, content, expected] of cases) {
  t.test(`${name}: read as getenv(3) would`, (t) => {
    t.same([...parseEnviron(content)], expected);
    const environ = readEnviron({ root: t.testdir({ 7: { environ: content } }) }, 7);
    t.same([...(environ ?? [['gone', '']])], expected, 'from a file');
    t.end();
  });
}

t.test('the environment of a real process is the one that it was started with', async (t) => {
  const child = spawn('sleep', ['1000'], { env: { container: 'podman', PATH: process.env['PATH'] } });
  t.teardown(() => child.kill('SIGKILL'));
  await new Promise((resolve) => child.once('spawn', resolve));
  t.equal(readEnviron({ root: '/proc' }, child.pid!)?.get('container'), 'podman');
});

t.test('gone is undefined, not a process without variables', (t) => {
  t.equal(readEnviron({ root: t.testdir({}) }, 7), undefined);
  t.end();
});
