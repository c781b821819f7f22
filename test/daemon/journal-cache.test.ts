import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { JournalCache } from '../../src/daemon/journal-cache.ts';
import { JOURNAL_FILE } from '../../src/reap/journal-format.ts';
import { exactly } from '../helpers/exactly.ts';

const proc = { root: '/proc' };
const intent = (id: string) =>
  `${JSON.stringify({ v: 1, kind: 'intent', id, at: '2026-01-01T00:00:00.000Z', trigger: 'boot', bootId: 'another', by: { pid: 1, startTime: 1, uid: 0 }, targets: [] })}\n`;
const outcome = (id: string) =>
  `${JSON.stringify({ v: 1, kind: 'outcome', id, at: '2026-01-01T00:00:09.000Z', ok: true, actions: [], ports: [], error: null })}\n`;

t.test('what is appended is seen, and what was not ended is called interrupted', (t) => {
  const directory = t.testdir();
  const cache = new JournalCache(proc);
  t.same(cache.entries(directory), []);
  writeFileSync(join(directory, JOURNAL_FILE), intent('a'));
  t.match(
    cache.entries(directory),
    exactly({ id: 'a', trigger: 'boot', state: 'interrupted', finishedAt: null, ok: null }),
  );
  appendFileSync(join(directory, JOURNAL_FILE), outcome('a') + intent('b'));
  t.match(
    cache.entries(directory),
    exactly({ id: 'b' }, { id: 'a', state: 'finished', finishedAt: '2026-01-01T00:00:09.000Z', ok: true }),
  );
  t.equal(cache.entries(directory), cache.entries(directory), 'unchanged, it is not read again');
  t.end();
});

t.test('a journal that cannot be read is an empty one', (t) => {
  const directory = t.testdir({ [JOURNAL_FILE]: {} });
  t.same(new JournalCache(proc).entries(directory), []);
  t.end();
});
