import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { noToken, openTokenFile, TokenFileError } from '../../src/http/token.ts';
import { needs } from '../helpers/needs.ts';

const directory = mkdtempSync(join(tmpdir(), 'orphand-token-'));
t.teardown(() => {
  rmSync(directory, { recursive: true, force: true });
});
let number = 0;
const fresh = () => join(directory, `token-${(number += 1)}`);

t.test('a missing file is created with 32 random bytes that only its owner reads', (t) => {
  const file = fresh();
  const before = process.umask(0);
  const token = openTokenFile(file);
  process.umask(before);
  const text = readFileSync(file, 'utf8').trim();
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.equal(Buffer.from(text, 'base64url').length, 32);
  t.ok(token.matches(text));
  t.ok(openTokenFile(file).matches(text), 'and is the same at the next start');
  t.not(readFileSync(file, 'utf8'), (openTokenFile(`${file}b`), readFileSync(`${file}b`, 'utf8')));
  t.end();
});

t.test('only the token itself matches', (t) => {
  const file = fresh();
  const token = openTokenFile(file);
  const text = readFileSync(file, 'utf8').trim();
  for (const wrong of ['', ' ', text.slice(1), `${text}x`, text.toUpperCase(), 'undefined', '\0']) {
    t.notOk(token.matches(wrong), JSON.stringify(wrong));
  }
  t.notOk(noToken.matches(''), 'and nothing matches where none is configured');
  t.notOk(noToken.matches(text));
  t.end();
});

t.test('a file that others may read, or write, is refused', (t) => {
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o644, 0o666]) {
    const file = fresh();
    openTokenFile(file);
    chmodSync(file, mode);
    t.throws(() => openTokenFile(file), {
      name: 'TokenFileError',
      message: /may be read by others .*chmod 600/,
    });
  }
  t.end();
});

t.test('a link, a FIFO, a directory, a short or a strange text is refused', (t) => {
  const real = fresh();
  openTokenFile(real);
  const link = fresh();
  symlinkSync(real, link);
  t.throws(() => openTokenFile(link), TokenFileError, 'link');
  const dangling = fresh();
  symlinkSync(join(directory, 'elsewhere'), dangling);
  t.throws(() => openTokenFile(dangling), TokenFileError, 'a link is not followed to create a file either');
  const fifo = fresh();
  execFileSync('mkfifo', ['-m', '600', fifo]);
  t.throws(() => openTokenFile(fifo), { message: /not a plain file/ }, 'FIFO, without waiting for a writer');
  t.throws(() => openTokenFile(directory), TokenFileError, 'directory');
  for (const text of [
    '',
    'secret',
    'x'.repeat(42),
    `${'x'.repeat(43)} y`,
    'x'.repeat(5_000),
    `${'x'.repeat(43)}\nmore`,
  ]) {
    const file = fresh();
    writeFileSync(file, text, { mode: 0o600 });
    t.throws(() => openTokenFile(file), TokenFileError, JSON.stringify(text.slice(0, 50)));
  }
  t.throws(() => openTokenFile('/proc/orphand/token'), { message: /can't be created \(ENOENT\)/ });
  t.end();
});

t.test('a file that belongs to another user is refused', (t) => {
  if (!needs(t, 'root')) return;
  const file = fresh();
  openTokenFile(file);
  chownSync(file, 1234, 1234);
  t.throws(() => openTokenFile(file), { message: /belongs to uid 1234/ });
  t.end();
});
