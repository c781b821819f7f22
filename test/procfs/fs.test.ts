import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import t, { type Test } from 'tap';
import {
  eachLine,
  listNames,
  listNumbers,
  readBytes,
  readLink,
  readText,
  UnreadableError,
  walkNames,
} from '../../src/procfs/fs.ts';
import { finish } from '../../src/procfs/steps.ts';
import { needs } from '../helpers/needs.ts';
import { asNobody, start, type Started } from './children.ts';
import { openDescriptors, openedSince } from '../helpers/descriptors.ts';

const own = { root: '/proc' };
// Above any pid_max: a process that can't exist.
const GONE = 2 ** 22 + 1;

t.test('what is gone is undefined, whichever way it is read', (t) => {
  t.equal(readText(own, `${GONE}/stat`), undefined);
  t.equal(readBytes(own, `${GONE}/cmdline`), undefined);
  t.equal(readLink(own, `${GONE}/exe`), undefined);
  t.equal(listNames(own, `${GONE}/fd`), undefined);
  t.equal(listNumbers(own, `${GONE}/task`), undefined);
  t.equal(
    eachLine(own, `${GONE}/net/tcp`, () => true),
    false,
  );
  t.end();
});

t.test('a process that ends between open(2) and read(2) is gone (ESRCH)', (t) => {
  // A kernel thread has no memory: its environ opens, and reading it answers ESRCH.
  if (!needs(t, 'root')) return;
  t.equal(readText(own, '2/environ'), undefined);
  t.end();
});

t.test('what may not be read is an error with its file and errno, never an absence', (t) => {
  if (!needs(t, 'root')) return;
  const root = mkdtempSync(`${tmpdir()}/orphand-`);
  t.teardown(() => {
    rmSync(root, { recursive: true });
  });
  chmodSync(root, 0o755);
  mkdirSync(`${root}/12`);
  writeFileSync(`${root}/12/environ`, 'SECRET=1', { mode: 0o400 });
  mkdirSync(`${root}/12/fd`, { mode: 0o500 });
  const proc = { root };
  const attempts: [string, () => unknown][] = [
    ['12/environ', () => readText(proc, '12/environ')],
    ['12/environ', () => readBytes(proc, '12/environ')],
    ['12/environ', () => eachLine(proc, '12/environ', () => true)],
    ['12/fd', () => listNames(proc, '12/fd')],
    ['12/fd', () => finish(walkNames(proc, '12/fd'))],
    ['12/fd/3', () => readLink(proc, '12/fd/3')],
  ];
  for (const [path, act] of attempts) {
    t.throws(() => asNobody(act), { name: 'UnreadableError', file: `${root}/${path}`, code: 'EACCES' }, path);
  }
  t.equal(readText(proc, '12/environ'), 'SECRET=1', 'the same file is readable for root');
  t.end();
});

t.test('a directory in the place of a file is unreadable, not a crash', (t) => {
  t.throws(() => readText(own, 'self'), { name: 'UnreadableError', file: '/proc/self', code: 'EISDIR' });
  t.end();
});

t.test('an error of the visitor stays what it is, even with a code', (t) => {
  const defect = Object.assign(new Error('defect'), { code: 'ENOENT' });
  const proc = { root: t.testdir({ file: 'a\nb\n' }) };
  const attempt = (): unknown =>
    eachLine(proc, 'file', () => {
      throw defect;
    });
  t.throws(attempt, defect);
  t.notOk(readdirSync('/proc/self/fd').length > 500, 'and leaves no descriptor');
  t.end();
});

t.test('lines are whole across the edges of a chunk', (t) => {
  // 64 KiB is no multiple of these lengths, so that every edge cuts a line.
  const lines = Array.from({ length: 20_000 }, (_, index) => `${index}:${'x'.repeat(index % 23)}`);
  const proc = { root: t.testdir({ ended: `${lines.join('\n')}\n`, open: lines.join('\n') }) };
  for (const name of ['ended', 'open']) {
    const seen: string[] = [];
    eachLine(proc, name, (line) => seen.push(line) > 0);
    t.same(seen, lines, `a text whose last line is ${name}`);
  }
  t.end();
});

t.test('nothing is read behind the line that was enough', (t) => {
  const proc = { root: t.testdir({ file: 'a\nb\nc\nd' }) };
  const seen: string[] = [];
  t.equal(
    eachLine(proc, 'file', (line) => {
      seen.push(line);
      return line !== 'b';
    }),
    true,
  );
  t.same(seen, ['a', 'b']);
  t.end();
});

t.test('a limit bounds what is read of a file without end', (t) => {
  const bytes = readBytes({ root: '/dev' }, 'zero', 100_000);
  t.ok(bytes !== undefined && bytes.length >= 100_000 && bytes.length < 200_000);
  t.end();
});

t.test('bytes that are not UTF-8 become U+FFFD in text and stay in bytes', (t) => {
  const proc = { root: t.testdir({ comm: Buffer.from([0x61, 0xff, 0x0a]) }) };
  t.equal(readText(proc, 'comm'), 'a\ufffd\n');
  t.same(readBytes(proc, 'comm'), Buffer.from([0x61, 0xff, 0x0a]));
  t.end();
});

t.test('numbers are listed ascending, and nothing else', (t) => {
  const root = t.testdir({ 10: {}, 9: {}, 100: {}, self: {}, '01': {}, '1a': {}, '-1': {}, 0: {} });
  t.same(listNumbers({ root }, '.'), [9, 10, 100]);
  t.end();
});

t.test('no descriptor is left behind by any outcome', (t) => {
  const before = openDescriptors();
  for (let round = 0; round < 50; round++) {
    readText(own, 'self/stat');
    readText(own, `${GONE}/stat`);
    eachLine(own, 'self/status', () => false);
    try {
      readText(own, 'self');
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
    }
  }
  t.same(openedSince(before), []);
  t.end();
});

async function startWithMany(t: Test): Promise<Started> {
  return start(t, 'python3', [
    '-c',
    'import os, time\nfor fd in range(3, 3003): os.dup2(0, fd)\nprint(flush=True)\ntime.sleep(1000)',
  ]);
}

t.test('others have their turn among the names of a directory that has many', async (t) => {
  const { pid } = await startWithMany(t);
  const turns = walkNames(own, `${pid}/fd`);
  let count = 0;
  let step = turns.next();
  for (; step.done !== true; step = turns.next()) count += 1;
  t.strictSame(step.value?.sort(), listNames(own, `${pid}/fd`)?.sort());
  t.equal(count, 11);
  t.strictSame(
    finish(walkNames(own, 'self/ns'))?.sort(),
    listNames(own, 'self/ns')?.sort(),
    'and one that has few',
  );
});

t.test('a process that ends while its descriptors are listed is no error', async (t) => {
  const { child, pid } = await startWithMany(t);
  const before = openDescriptors();
  const steps = walkNames(own, `${pid}/fd`);
  steps.next();
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
  // glibc takes it for the end of the directory, which leaves what the kernel had listed; musl for none.
  t.ok((finish(steps) ?? []).length < 3_000);
  t.equal(finish(walkNames(own, `${pid}/fd`)), undefined, 'nor is one that is not there');
  t.same(openedSince(before), [], 'what was opened for it is closed');
});
