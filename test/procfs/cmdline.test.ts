import t from 'tap';
import { parseCmdline, readCmdline } from '../../src/procfs/cmdline.ts';
import { start } from './children.ts';

const cases: [string, string | Buffer, string[]][] = [
  ['an ordinary command line', 'python3\0-u\0/app/server.py\0', ['python3', '-u', '/app/server.py']],
  ['no command line (a kernel thread, state Z)', '', []],
  ['a line without its last NUL', 'nginx: master process', ['nginx: master process']],
  ['newlines and tabs in an argument', 'sh\0-c\0a\nb\tc\0', ['sh', '-c', 'a\nb\tc']],
  ['escape sequences in an argument', '\u001b[31mx\0', ['\u001b[31mx']],
  ['an empty argument in the middle', 'sh\0\0x\0', ['sh', '', 'x']],
  ['an empty program name', '\0x\0', ['', 'x']],
  ['a title padded to the length of the old arguments', 'postgres: writer\0\0\0\0\0', ['postgres: writer']],
  ['nothing but padding', '\0\0\0', []],
  [
    'bytes that are not UTF-8',
    Buffer.from([0x73, 0x68, 0, 0xff, 0xfe, 0, 0xc3, 0xa9, 0]),
    ['sh', '\ufffd\ufffd', 'é'],
  ],
];
for (const [name, content, expected] of cases) {
  t.test(`${name} is read word by word`, (t) => {
    t.same(parseCmdline(content), expected);
    t.same(readCmdline({ root: t.testdir({ 7: { cmdline: content } }) }, 7), expected, 'from a file');
    t.end();
  });
}

t.test('a process that has gone is undefined, not a process without arguments', (t) => {
  t.equal(readCmdline({ root: t.testdir({}) }, 7), undefined);
  t.end();
});

t.test('the arguments of a real process come back as they were given', async (t) => {
  const argv0 = 'a) R 1 (b\n\u001b[31m';
  const { pid } = await start(
    t,
    process.execPath,
    ['-e', 'console.log(1); setInterval(() => {}, 1e6)', '', 'x'],
    {
      argv0,
    },
  );
  const words = readCmdline({ root: '/proc' }, pid);
  t.same(words, [argv0, '-e', 'console.log(1); setInterval(() => {}, 1e6)', '', 'x']);
});

t.test('a command line of many megabytes is cut, its beginning kept', async (t) => {
  const script = 'console.log(1); setInterval(() => {}, 1e6)';
  const long = Array.from({ length: 12 }, () => 'x'.repeat(100_000));
  const { pid } = await start(t, process.execPath, ['-e', script, ...long]);
  const words = readCmdline({ root: '/proc' }, pid) ?? [];
  t.equal(words[2], script);
  t.ok(words.join('').length < 300_000);
});
