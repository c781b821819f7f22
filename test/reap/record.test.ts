import { join } from 'node:path';
import t, { type Test } from 'tap';
import { systemClock } from '../../src/reap/clock.ts';
import { readJournal } from '../../src/reap/journal-read.ts';
import { planTargets } from '../../src/reap/plan.ts';
import { CleanupRecord } from '../../src/reap/record.ts';
import { proc, reportOf } from './world.ts';
import { exactly } from '../helpers/exactly.ts';

function setUp(t: Test): { record: CleanupRecord; directory: string; failures: string[] } {
  const directory = join(t.testdir(), 'state');
  const failures: string[] = [];
  const onFailure = (detail: string): unknown => failures.push(detail);
  const record = new CleanupRecord({
    directory,
    maxBytes: undefined,
    clock: systemClock,
    id: 'mine',
    onFailure,
  });
  return { record, directory, failures };
}

const report = reportOf([{ pid: process.pid, ports: [8091] }]);
const targets = planTargets(report, { suspects: false });
const done = { ok: true, actions: [], ports: [], error: null };

t.test('a long command line is cut, with a sign', (t) => {
  const { record, directory } = setUp(t);
  const cmdline = ['python3', 'x'.repeat(5000), 'y', 'z'];
  record.intent(proc, {
    trigger: 'clean',
    report,
    targets: targets.map((target) => ({ ...target, cmdline })),
  });
  record.close();
  const [entry] = readJournal(directory, proc);
  const [first, second, third, ...more] = entry?.targets[0]?.cmdline ?? [];
  t.equal(first, 'python3');
  t.match(second, /^x{2040}…$/);
  t.equal(third, '…');
  t.same(more, []);
  t.end();
});

t.test('of what was never begun there is no outcome', (t) => {
  const { record, directory } = setUp(t);
  record.outcome(done);
  record.close();
  t.same(readJournal(directory, proc), []);
  t.end();
});

t.test('what fails after the intent is told, not thrown', (t) => {
  const { record, directory, failures } = setUp(t);
  record.intent(proc, { trigger: 'clean', report, targets });
  record.close();
  record.outcome(done);
  t.match(failures, exactly(/closed/));
  t.match(readJournal(directory, proc), exactly({ state: 'running', outcome: undefined }));
  t.end();
});

t.test('an intent that can’t be written is a refusal', (t) => {
  const { record } = setUp(t);
  record.close();
  t.throws(
    () => {
      record.intent(proc, { trigger: 'clean', report, targets });
    },
    { code: 'no-journal' },
  );
  t.end();
});

t.test('who acts is on record, with user and identity', (t) => {
  const { record, directory } = setUp(t);
  record.intent(proc, { trigger: 'boot', report, targets });
  record.outcome({ ...done, ok: false, error: 'no look' });
  record.close();
  t.match(
    readJournal(directory, proc),
    exactly({
      id: 'mine',
      trigger: 'boot',
      bootId: report.bootId,
      by: { pid: process.pid },
      targets: exactly({
        identity: { pid: process.pid, startTime: targets[0]?.identity.startTime },
        user: 'root',
        ports: exactly(8091),
      }),
      outcome: { ok: false, error: 'no look' },
    }),
  );
  t.end();
});
