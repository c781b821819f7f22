import { openSync, closeSync, fstatSync } from 'node:fs';
import t from 'tap';
import { createLog, targetFields, withPriority } from '../../src/daemon/log.ts';
import { goesToJournal, prefixOf } from '../../src/daemon/priority.ts';

function lines() {
  const written: string[] = [];
  return { written, stream: { write: (line: string) => void written.push(line) } };
}

t.test('a line is JSON with a level in words and a time, and says nothing of this process', (t) => {
  const { written, stream } = lines();
  createLog('info', stream).info({ target: { pid: 7 } }, 'finding');
  const line = JSON.parse(written[0]!) as Record<string, unknown>;
  t.match(line, { level: 'info', time: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/, target: { pid: 7 }, msg: 'finding' });
  t.same(Object.keys(line).sort(), ['level', 'msg', 'target', 'time']);
  t.end();
});

t.test('behind a priority each line has that of its level, which journald takes away', (t) => {
  const { written, stream } = lines();
  const log = createLog('trace', withPriority(stream));
  for (const level of ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const) log[level](level);
  t.same(
    written.map((line) => line.slice(0, 4)),
    ['<2>{', '<3>{', '<4>{', '<6>{', '<7>{', '<7>{'],
  );
  t.doesNotThrow(() => {
    JSON.parse(written[0]!.slice(3));
  });
  t.end();
});

t.test('what the level leaves out is not written', (t) => {
  const { written, stream } = lines();
  const log = createLog('warn', stream);
  log.info('no');
  log.level = 'info';
  log.info('yes');
  t.equal(written.length, 1);
  t.end();
});

t.test('a hostile name cannot change what a terminal or a reader of lines shows', (t) => {
  const { written, stream } = lines();
  const identity = { bootId: 'b', pid: 7, startTime: 8 };
  const target = targetFields({
    identity,
    comm: 'x\n<0>{"level":"fatal"}\u001b[2J\u202e',
    verdict: 'orphan',
    reason: 'container-gone',
    ports: [80],
  });
  createLog('info', withPriority(stream)).info({ target }, 'finding');
  t.equal(written[0]!.indexOf('\n'), written[0]!.length - 1, 'it is one line');
  t.match(target, { comm: 'x\\n<0>{"level":"fatal"}\\x1b[2J\\u202e', pid: 7, startTime: 8 });
  t.end();
});

t.test('prefixes follow the levels of sd-daemon(3)', (t) => {
  t.same([60, 50, 40, 30, 20, 10].map(prefixOf), ['<2>', '<3>', '<4>', '<6>', '<7>', '<7>']);
  t.end();
});

t.test('only the very stream that JOURNAL_STREAM names goes to the journal', (t) => {
  const fd = openSync('/dev/null', 'r');
  const { dev, ino } = fstatSync(fd);
  t.equal(goesToJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, fd), true);
  t.equal(goesToJournal({ JOURNAL_STREAM: `${dev}:${ino + 1}` }, fd), false, 'redirected to a file or pipe');
  t.equal(goesToJournal({}, fd), false);
  closeSync(fd);
  t.equal(goesToJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, fd), false, 'closed');
  t.end();
});
