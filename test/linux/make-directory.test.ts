import { chmodSync, existsSync, lstatSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeDirectory } from '../../src/linux/make-directory.ts';

const umask = process.umask(0o022);
t.teardown(() => process.umask(umask));
const modeOf = (path: string) => statSync(path).mode & 0o777;

t.test('all that is missing is made with the mode, what is there keeps its own', (t) => {
  const base = t.testdir({ there: {} });
  chmodSync(join(base, 'there'), 0o711);
  makeDirectory(join(base, 'there', 'a', 'b'), 0o700);
  t.equal(modeOf(join(base, 'there', 'a', 'b')), 0o700);
  t.equal(modeOf(join(base, 'there', 'a')), 0o700);
  makeDirectory(join(base, 'there'), 0o700);
  makeDirectory(join(base, 'there', 'a', 'b'), 0o755);
  t.equal(modeOf(join(base, 'there')), 0o711);
  t.equal(modeOf(join(base, 'there', 'a', 'b')), 0o700);
  t.end();
});

t.test('a slash at the end, a way back and a relative path are paths like others', (t) => {
  const base = t.testdir({});
  const before = process.cwd();
  t.teardown(() => {
    process.chdir(before);
  });
  process.chdir(base);
  makeDirectory('a/b/', 0o755);
  makeDirectory(join(base, 'c') + '/../d', 0o755);
  makeDirectory('.', 0o755);
  makeDirectory('/', 0o755);
  t.ok(statSync(join(base, 'a', 'b')).isDirectory());
  t.ok(statSync(join(base, 'd')).isDirectory());
  t.end();
});

t.test('a link to a directory is one; nothing is made through a link to nowhere', (t) => {
  const base = t.testdir({ real: {} });
  symlinkSync(join(base, 'real'), join(base, 'link'));
  symlinkSync(join(base, 'nowhere'), join(base, 'dangling'));
  symlinkSync(join(base, 'loop'), join(base, 'loop'));
  makeDirectory(join(base, 'link'), 0o700);
  makeDirectory(join(base, 'link', 'below'), 0o700);
  t.ok(lstatSync(join(base, 'link')).isSymbolicLink());
  t.ok(statSync(join(base, 'real', 'below')).isDirectory());
  for (const name of ['dangling', 'dangling/below']) {
    t.throws(
      () => {
        makeDirectory(join(base, name), 0o700);
      },
      { code: 'EEXIST' },
      name,
    );
  }
  t.throws(
    () => {
      makeDirectory(join(base, 'loop', 'below'), 0o700);
    },
    { code: 'ELOOP' },
  );
  t.notOk(existsSync(join(base, 'nowhere')));
  t.end();
});

t.test('a file in the way is named and stays', (t) => {
  const base = t.testdir({ file: 'precious' });
  for (const path of [join(base, 'file'), join(base, 'file', 'a', 'b')]) {
    t.throws(
      () => {
        makeDirectory(path, 0o700);
      },
      { code: /^(EEXIST|ENOTDIR)$/, message: /\/file/ },
      path,
    );
  }
  t.equal(readFileSync(join(base, 'file'), 'utf8'), 'precious');
  t.end();
});

for (const path of [
  '/proc/orphand',
  '/proc/orphand/state/deeper',
  '/proc/self/fd/orphand',
  '/proc/sys/orphand/a',
]) {
  t.test(`below /proc it fails at once: ${path}`, (t) => {
    t.throws(
      () => {
        makeDirectory(path, 0o700);
      },
      { message: /^E[A-Z]+: .*\/proc/ },
    );
    t.end();
  });
}
