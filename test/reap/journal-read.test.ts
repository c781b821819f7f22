import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readBootId } from '../../src/procfs/boot.ts';
import { readStat } from '../../src/procfs/stat.ts';
import { systemClock } from '../../src/reap/clock.ts';
import { interruptedCleanups, noteInterrupted, readJournal } from '../../src/reap/journal-read.ts';
import { proc } from './world.ts';
import { exactly } from '../helpers/exactly.ts';

const by = { pid: 1, startTime: 123_456_789, uid: 0 };
const line = (value: object): string => `${JSON.stringify({ v: 1, ...value })}\n`;
const intent = (id: string, more: object = {}): string =>
  line({
    kind: 'intent',
    id,
    at: '2026-01-02T03:04:05.678Z',
    trigger: 'clean',
    bootId: 'boot',
    by,
    targets: [{ pid: 1 }],
    ...more,
  });
const outcome = (id: string, more: object = {}): string =>
  line({
    kind: 'outcome',
    id,
    at: '2026-01-02T03:04:06.678Z',
    ok: true,
    actions: [],
    ports: [],
    error: null,
    ...more,
  });

const cases: { name: string; now?: string; before?: string; want: unknown[] }[] = [
  { name: 'no journal is no clean-up', want: [] },
  {
    name: 'an intent with its outcome is done',
    now: intent('a') + outcome('a', { ok: false }),
    want: [{ id: 'a', trigger: 'clean', state: 'done', outcome: { ok: false } }],
  },
  {
    name: 'an intent without an outcome was interrupted',
    now: intent('a'),
    want: [{ id: 'a', state: 'interrupted', outcome: undefined }],
  },
  {
    name: 'newest first, over both files, with lines that lie in between',
    before: intent('a') + outcome('a') + intent('b'),
    now: line({ kind: 'adopted', id: 'b', at: '', forks: [{ pid: 7 }] }) + outcome('b') + intent('c'),
    want: [{ id: 'c' }, { id: 'b', state: 'done', forks: [{ pid: 7 }] }, { id: 'a', state: 'done' }],
  },
  {
    name: 'a torn last line hides nothing else',
    now: intent('a') + outcome('a') + intent('b') + outcome('b').slice(0, 40),
    want: [
      { id: 'b', state: 'interrupted' },
      { id: 'a', state: 'done' },
    ],
  },
  {
    name: 'damage in the middle hides nothing else',
    now: intent('a') + '\0\0\0\n\n[1]\nnull\n"x"\n{"v":1}\n' + outcome('a') + intent('b'),
    want: [{ id: 'b' }, { id: 'a', state: 'done' }],
  },
  {
    name: 'lines of another version or kind, or without their parts, are left out',
    now:
      intent('a') +
      '{"v":2,"kind":"outcome","id":"a","actions":[],"ports":[]}\n' +
      line({ kind: 'later', id: 'a' }) +
      line({ kind: 'outcome', id: 'a' }) +
      line({ kind: 'intent', id: 'x' }) +
      line({ kind: 'adopted', id: 'a' }),
    want: [{ id: 'a', state: 'interrupted', forks: [] }],
  },
  { name: 'an outcome whose intent was rotated away is left out', now: outcome('a'), want: [] },
];

for (const { name, now, before, want } of cases) {
  t.test(name, (t) => {
    const directory = t.testdir({});
    if (now !== undefined) writeFileSync(join(directory, 'journal.jsonl'), now);
    if (before !== undefined) writeFileSync(join(directory, 'journal.jsonl.1'), before);
    const entries = readJournal(directory, proc);
    t.equal(entries.length, want.length);
    t.match(entries, want);
    t.end();
  });
}

t.test(
  'a clean-up whose orphand still runs is running, one whose pid is another process is interrupted',
  (t) => {
    const bootId = readBootId(proc);
    const startTime = readStat(proc, process.pid)?.startTime ?? 0;
    const text =
      intent('mine', { bootId, by: { pid: process.pid, startTime, uid: 0 } }) +
      intent('reused', { bootId, by: { pid: process.pid, startTime: startTime - 1, uid: 0 } }) +
      intent('other boot', { by: { pid: process.pid, startTime, uid: 0 } });
    const directory = t.testdir({ 'journal.jsonl': text });
    t.same(
      readJournal(directory, proc).map(({ id, state }) => [id, state]),
      [
        ['other boot', 'interrupted'],
        ['reused', 'interrupted'],
        ['mine', 'running'],
      ],
    );
    t.end();
  },
);

t.test('an interrupted clean-up is reported until it was noted, and stays on record', (t) => {
  const directory = t.testdir({ 'journal.jsonl': intent('a') + outcome('a') + intent('b') + '{"v":1,' });
  const interrupted = interruptedCleanups(directory, proc);
  t.same(
    interrupted.map(({ id }) => id),
    ['b'],
  );
  noteInterrupted(directory, interrupted, systemClock);
  t.same(interruptedCleanups(directory, proc), []);
  t.match(readJournal(directory, proc), exactly({ id: 'b', state: 'interrupted', noted: true }, { id: 'a' }));
  noteInterrupted(join(directory, 'never made'), [], systemClock);
  t.end();
});

t.test('a journal that may not be read is an error, not an empty one', (t) => {
  const directory = t.testdir({ 'journal.jsonl': {} });
  t.throws(() => readJournal(directory, proc), { code: 'EISDIR' });
  t.same(readJournal('', proc), []);
  t.end();
});
