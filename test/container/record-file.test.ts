import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { shortDirectory, unprivileged } from '../helpers/host-tree.ts';
import { errorCode, parsePid, readRecordFile } from '../../src/container/record-file.ts';

t.test('a file is read with its time', (t) => {
  const dir = t.testdir({ file: 'text' });
  const read = readRecordFile(join(dir, 'file'));
  t.match(read, { state: 'read', text: 'text' });
  t.ok(read.state === 'read' && Math.abs(read.mtimeMs - Date.now()) < 60_000);
  t.end();
});

t.test('gone is an answer', (t) => {
  const dir = t.testdir({ file: 'text' });
  t.strictSame(readRecordFile(join(dir, 'none')), { state: 'gone' });
  t.strictSame(readRecordFile(join(dir, 'file/none')), { state: 'gone' }, 'also below what is no directory');
  t.end();
});

t.test('what would block for ever or never end is not read', (t) => {
  const dir = t.testdir({});
  execFileSync('mkfifo', [join(dir, 'fifo')]);
  symlinkSync('/dev/zero', join(dir, 'zero'));
  mkdirSync(join(dir, 'directory'));
  writeFileSync(join(dir, 'huge'), '');
  truncateSync(join(dir, 'huge'), 65 * 1024 * 1024);
  t.match(readRecordFile(join(dir, 'fifo')), { state: 'unreadable', code: 'not a file' });
  t.match(readRecordFile(join(dir, 'zero')), { state: 'unreadable', code: 'not a file' });
  t.match(readRecordFile(join(dir, 'directory')), { state: 'unreadable', code: 'not a file' });
  t.match(readRecordFile(join(dir, 'huge')), { state: 'unreadable', code: 'EFBIG' });
  t.end();
});

t.test('what may not be read is no answer', (t) => {
  const dir = shortDirectory(t);
  writeFileSync(join(dir, 'file'), 'text');
  chmodSync(dir, 0o755);
  chmodSync(join(dir, 'file'), 0);
  t.strictSame(
    unprivileged(() => readRecordFile(join(dir, 'file'))),
    { state: 'unreadable', code: 'EACCES' },
  );
  t.end();
});

t.test('a link in a circle is no answer', (t) => {
  const dir = t.testdir({});
  symlinkSync('loop', join(dir, 'loop'));
  t.strictSame(readRecordFile(join(dir, 'loop')), { state: 'unreadable', code: 'ELOOP' });
  t.end();
});

t.test('a pid is digits and perhaps a newline', (t) => {
  t.equal(parsePid('12\n'), 12);
  t.equal(parsePid('12'), 12);
  for (const text of ['', '\n', '0', '-1', '12 13', '012', '12x', '1e3', '99999999999', '12\n13\n'])
    t.equal(parsePid(text), undefined, JSON.stringify(text));
  t.end();
});

t.test('an error without a code goes by its class', (t) => {
  t.equal(errorCode(new TypeError('x')), 'TypeError');
  t.equal(errorCode('x'), 'unknown');
  t.end();
});
