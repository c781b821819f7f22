import { spawn } from 'node:child_process';
import { existsSync, linkSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lockCleanup } from '../../src/reap/lock.ts';
import { openDescriptors, until } from './world.ts';

t.test('one at a time in one process: the second is told who has it, and gets it afterwards', (t) => {
  const directory = join(t.testdir(), 'state');
  const lock = lockCleanup(directory);
  t.equal(readFileSync(join(directory, 'lock'), 'utf8'), `${process.pid}\n`);
  t.throws(() => lockCleanup(directory), {
    code: 'locked',
    message: new RegExp(`pid ${process.pid} holds .*/state/lock`),
  });
  lock.release();
  lockCleanup(directory).release();
  t.end();
});

t.test('another process that has the lock is named, and its death frees it', async (t) => {
  const directory = t.testdir();
  const path = join(directory, 'lock');
  // flock(1) takes the very same lock.
  const other = spawn(
    'flock',
    [path, 'sh', '-c', 'echo $PPID > "$1"; touch "$1.held"; exec sleep 100', 'sh', path],
    {
      stdio: 'ignore',
      detached: true,
    },
  );
  const end = (): boolean => process.kill(-other.pid!, 'SIGKILL');
  t.teardown(() => {
    if (other.exitCode === null && other.signalCode === null) end();
  });
  await until(() => existsSync(`${path}.held`));
  t.throws(() => lockCleanup(directory), { code: 'locked', message: new RegExp(`pid ${other.pid} holds`) });
  end();
  await until(() => {
    try {
      lockCleanup(directory).release();
      return true;
    } catch {
      return false;
    }
  });
});

t.test('a lock file that names nobody, or nonsense, is still a lock', (t) => {
  const directory = t.testdir();
  const lock = lockCleanup(directory);
  for (const text of ['', 'rm -rf /\n', '\u001b[31m7']) {
    writeFileSync(join(directory, 'lock'), text);
    t.throws(() => lockCleanup(directory), { code: 'locked', message: /\(it holds .*\/lock\)/ });
  }
  lock.release();
  t.end();
});

t.test('a state directory that takes no lock is refused by name', (t) => {
  const directory = t.testdir({ victim: 'precious' });
  symlinkSync(join(directory, 'victim'), join(directory, 'lock'));
  t.throws(() => lockCleanup(directory), { code: 'no-journal', message: new RegExp(directory) });
  t.equal(readFileSync(join(directory, 'victim'), 'utf8'), 'precious');
  t.end();
});

t.test('without a state directory there is no lock', (t) => {
  lockCleanup('').release();
  t.end();
});

t.test(
  'where the pid may not be written, into a file with a second name, the lock holds all the same',
  (t) => {
    const directory = t.testdir({ lock: 'precious' });
    linkSync(join(directory, 'lock'), join(directory, 'other'));
    const before = openDescriptors();
    const lock = lockCleanup(directory);
    t.throws(() => lockCleanup(directory), { code: 'locked' });
    t.equal(readFileSync(join(directory, 'other'), 'utf8'), 'precious');
    lock.release();
    t.equal(openDescriptors(), before);
    t.end();
  },
);
