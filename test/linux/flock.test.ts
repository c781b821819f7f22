import { execFileSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import t, { type Test } from 'tap';
import { tryLock } from '../../src/linux/flock.ts';
import { setegid, seteuid } from '../helpers/effective-ids.ts';
import { needs } from '../helpers/needs.ts';
import { runNode } from './children.ts';
import { openDescriptors, openedSince } from '../helpers/descriptors.ts';

/** Another process that takes the lock (or not), says so and stays. */
function other(t: Test, path: string, extra = ''): ReturnType<typeof runNode> {
  return runNode(
    t,
    `const fd = require('node:fs').openSync(${JSON.stringify(path)}, 'r');
    const flock = require('koffi').load(null).func('int flock(int, int)');
    ${extra}
    console.log(flock(fd, 6) === 0 ? 'locked' : 'busy');
    setInterval(() => {}, 1e6);`,
  );
}

t.test('one lock at a time, within a process too', (t) => {
  const path = `${t.testdir({})}/lock`;
  const lock = tryLock(path);
  t.ok(lock);
  t.equal(tryLock(path), undefined);
  lock?.release();
  const again = tryLock(path);
  t.ok(again, 'free after its release');
  lock?.release();
  t.equal(tryLock(path), undefined, 'releasing twice releases nothing of another');
  again?.release();
  t.equal(existsSync(path), true, 'the file stays');
  t.end();
});

t.test('another process does not get what this one holds', async (t) => {
  const path = `${t.testdir({})}/lock`;
  const lock = tryLock(path);
  t.equal((await other(t, path)).line, 'busy');
  lock?.release();
  t.equal((await other(t, path)).line, 'locked');
});

t.test('the kernel frees it when the holder is killed', async (t) => {
  const path = `${t.testdir({ lock: '' })}/lock`;
  const holder = await other(t, path);
  t.equal(holder.line, 'locked');
  t.equal(tryLock(path), undefined);
  holder.process.kill('SIGKILL');
  await holder.ended;
  const lock = tryLock(path);
  t.ok(lock);
  lock?.release();
});

t.test('a child that outlives the holder does not keep it', async (t) => {
  const path = `${t.testdir({})}/lock`;
  const lock = tryLock(path);
  await runNode(t, `console.log('ready'); setInterval(() => {}, 1e6);`);
  lock?.release();
  const again = tryLock(path);
  t.ok(again, 'the descriptor was not inherited');
  again?.release();
});

t.test('a new file is for its owner only, whatever the umask', (t) => {
  const path = `${t.testdir({})}/lock`;
  const umask = process.umask(0);
  t.teardown(() => process.umask(umask));
  tryLock(path)?.release();
  t.equal(statSync(path).mode & 0o7777, 0o600);
  t.end();
});

function directoryOf(t: Test, uid: number): string {
  const directory = mkdtempSync(`${tmpdir()}/orphand-`);
  t.teardown(() => {
    rmSync(directory, { recursive: true });
  });
  chownSync(directory, uid, uid);
  return directory;
}

function asUser<T>(uid: number, act: () => T): T {
  setegid(uid);
  seteuid(uid);
  try {
    return act();
  } finally {
    seteuid(0);
    setegid(0);
  }
}

t.test('what root makes in the directory of the daemon is shared with the daemon', (t) => {
  if (!needs(t, 'root')) return;
  const path = `${directoryOf(t, 65534)}/lock`;
  const lock = tryLock(path);
  t.match(statSync(path), { uid: 65534, gid: 65534 });
  t.equal(statSync(path).mode & 0o7777, 0o600);
  t.equal(
    asUser(65534, () => tryLock(path)),
    undefined,
    'held by root',
  );
  lock?.release();
  const daemon = asUser(65534, () => tryLock(path));
  t.ok(daemon);
  t.equal(tryLock(path), undefined, 'held by the daemon');
  daemon?.release();
  t.end();
});

t.test('what root makes in a directory of its own stays with its own group', (t) => {
  if (!needs(t, 'root')) return;
  const directory = directoryOf(t, 0);
  chownSync(directory, 0, 65534);
  tryLock(`${directory}/lock`)?.release();
  t.match(statSync(`${directory}/lock`), { uid: 0, gid: 0 });
  t.end();
});

t.test('what the daemon makes is shared with root', (t) => {
  if (!needs(t, 'root')) return;
  const path = `${directoryOf(t, 65534)}/lock`;
  const daemon = asUser(65534, () => tryLock(path));
  t.match(statSync(path), { uid: 65534, gid: 65534 });
  t.equal(tryLock(path), undefined);
  daemon?.release();
  t.ok(tryLock(path));
  t.end();
});

t.test('a link that the daemon planted is not followed by root', (t) => {
  if (!needs(t, 'root')) return;
  const directory = directoryOf(t, 65534);
  const secret = `${t.testdir({ secret: 'x' })}/secret`;
  symlinkSync(secret, `${directory}/lock`);
  t.throws(() => tryLock(`${directory}/lock`), { code: 'ELOOP' });
  symlinkSync(`${secret}-new`, `${directory}/dangling`);
  t.throws(() => tryLock(`${directory}/dangling`), { code: 'ELOOP' });
  t.equal(existsSync(`${secret}-new`), false, 'and nothing is made through it');
  t.equal(statSync(secret).uid, 0);
  t.end();
});

t.test('a file that was there already is never given away', (t) => {
  if (!needs(t, 'root')) return;
  const directory = directoryOf(t, 65534);
  writeFileSync(`${directory}/secret`, 'x', { mode: 0o600 });
  linkSync(`${directory}/secret`, `${directory}/lock`);
  t.ok(tryLock(`${directory}/lock`));
  t.equal(statSync(`${directory}/secret`).uid, 0);
  t.equal(readFileSync(`${directory}/secret`, 'utf8'), 'x');
  t.end();
});

t.test('a pipe or a directory in its place is an error, and no wait', (t) => {
  const directory = t.testdir({ sub: {} });
  execFileSync('mkfifo', [`${directory}/fifo`]);
  t.throws(() => tryLock(`${directory}/fifo`), /not a regular file/);
  t.throws(() => tryLock(`${directory}/sub`), /not a regular file/);
  t.throws(() => tryLock(`${directory}/missing/lock`), { code: 'ENOENT' });
  t.end();
});

t.test('no outcome leaves a descriptor behind', (t) => {
  const directory = t.testdir({ sub: {} });
  const held = tryLock(`${directory}/lock`);
  const before = openDescriptors();
  for (let round = 0; round < 20; round++) {
    tryLock(`${directory}/lock`);
    tryLock(`${directory}/free`)?.release();
    t.throws(() => tryLock(`${directory}/sub`));
  }
  t.same(openedSince(before), []);
  held?.release();
  t.end();
});
