import { appendFileSync, chmodSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openJournal } from '../../src/reap/journal.ts';
import type { JournalLine } from '../../src/reap/journal-format.ts';
import { openDescriptors } from './world.ts';

const noted = (id: string): JournalLine => ({ v: 1, kind: 'noted', id, at: '2026-01-02T03:04:05.678Z' });

t.test('lines are appended as JSON, in a file of the owner only, in a directory that is made', (t) => {
  const directory = join(t.testdir(), 'a', 'state');
  const before = openDescriptors();
  const journal = openJournal(directory);
  journal.write(noted('one'));
  journal.write(noted('two\nlines \u001b'));
  journal.close();
  journal.close();
  openJournal(directory).close();
  const path = join(directory, 'journal.jsonl');
  t.same(
    readFileSync(path, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as JournalLine).id),
    ['one', 'two\nlines \u001b'],
  );
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(openDescriptors(), before);
  t.end();
});

t.test('a torn last line takes no other with it, also when it is torn while the journal is open', (t) => {
  const directory = t.testdir({ 'journal.jsonl': '{"v":1,"kind":"noted","id":"old"}\n{"v":1,"kind":"inte' });
  const path = join(directory, 'journal.jsonl');
  const journal = openJournal(directory);
  journal.write(noted('new'));
  truncateSync(path, statSync(path).size - 3);
  journal.write(noted('newer'));
  journal.close();
  const lines = readFileSync(path, 'utf8').split('\n');
  t.equal(lines.length, 5);
  t.match(lines[1], /^\{"v":1,"kind":"inte$/);
  t.match(lines[2], /"id":"new"/);
  t.match(JSON.parse(lines[3] ?? ''), { id: 'newer' });
  t.end();
});

t.test('a journal at its size is rotated, over the one before, and one below it is not', (t) => {
  const directory = t.testdir({ 'journal.jsonl': 'x'.repeat(99), 'journal.jsonl.1': 'oldest' });
  openJournal(directory, { maxBytes: 100 }).close();
  t.equal(readFileSync(join(directory, 'journal.jsonl.1'), 'utf8'), 'oldest');
  appendFileSync(join(directory, 'journal.jsonl'), 'x');
  const journal = openJournal(directory, { maxBytes: 100 });
  journal.write(noted('new'));
  journal.close();
  t.equal(statSync(join(directory, 'journal.jsonl.1')).size, 100);
  t.match(readFileSync(join(directory, 'journal.jsonl'), 'utf8'), /^\{.*"new".*\}\n$/);
  t.end();
});

t.test('a journal that can’t be opened is refused by the directory’s name', (t) => {
  const directory = t.testdir({ 'journal.jsonl': {} });
  t.throws(() => openJournal(directory), { code: 'no-journal', message: new RegExp(directory) });
  const closed = t.testdir({ state: {} });
  writeFileSync(join(closed, 'file'), '');
  chmodSync(join(closed, 'state'), 0o500);
  // root writes anywhere.
  if (process.getuid?.() !== 0) t.throws(() => openJournal(join(closed, 'state')), { code: 'no-journal' });
  t.end();
});

t.test('without a state directory nothing is written', (t) => {
  const journal = openJournal('');
  journal.write(noted('one'));
  journal.close();
  t.end();
});
