import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  linkSync,
  mkdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ensureStateDirectory, openStateFile, unusable } from '../../src/reap/state-directory.ts';
import { needs } from '../helpers/needs.ts';

const flags = constants.O_RDWR | constants.O_APPEND;

t.test('a missing directory is made for its owner only, an existing one is left as it is', (t) => {
  const base = t.testdir({ there: {} });
  chmodSync(join(base, 'there'), 0o755);
  ensureStateDirectory(join(base, 'a', 'b'));
  ensureStateDirectory(join(base, 'there'));
  t.equal(statSync(join(base, 'a', 'b')).mode & 0o777, 0o700);
  t.equal(statSync(join(base, 'there')).mode & 0o777, 0o755);
  t.end();
});

t.test('a directory that can’t be made is refused by name', (t) => {
  const base = t.testdir({ file: '' });
  t.throws(
    () => {
      ensureStateDirectory(join(base, 'file', 'state'));
    },
    { code: 'no-journal', message: /file\/state/ },
  );
  t.throws(
    () => {
      ensureStateDirectory('/proc/orphand/state');
    },
    {
      code: 'no-journal',
      message: /\/proc\/orphand\/state can't be written \(ENOENT: no directory can be made in \/proc\)/,
    },
  );
  t.match(unusable('/var/lib/orphand', 'EROFS'), {
    code: 'no-journal',
    message: /\/var\/lib\/orphand .*EROFS/,
  });
  t.end();
});

t.test('a file is made for its owner only', (t) => {
  const path = join(t.testdir(), 'file');
  closeSync(openStateFile(path, flags));
  t.equal(statSync(path).mode & 0o777, 0o600);
  closeSync(openStateFile(path, flags));
  t.end();
});

t.test('links are not followed: to another file, to another directory’s inode', (t) => {
  const base = t.testdir({ victim: 'precious', other: 'precious', state: {} });
  symlinkSync(join(base, 'victim'), join(base, 'state', 'symbolic'));
  linkSync(join(base, 'other'), join(base, 'state', 'hard'));
  symlinkSync(join(base, 'none'), join(base, 'state', 'dangling'));
  mkdirSync(join(base, 'state', 'directory'));
  for (const name of ['symbolic', 'hard', 'dangling', 'directory']) {
    t.throws(() => openStateFile(join(base, 'state', name), flags), name);
  }
  t.throws(() => statSync(join(base, 'none')), { code: 'ENOENT' });
  t.end();
});

t.test('root gives a new file to the directory’s owner, and takes over none that was there', (t) => {
  if (!needs(t, 'root')) return;
  const base = t.testdir({});
  chownSync(base, 1234, 1235);
  writeFileSync(join(base, 'old'), '');
  for (const name of ['new', 'old']) closeSync(openStateFile(join(base, name), flags));
  const owner = (name: string): number[] => [statSync(join(base, name)).uid, statSync(join(base, name)).gid];
  t.same(owner('new'), [1234, 1235]);
  t.same(owner('old'), [0, 0]);
  t.end();
});
