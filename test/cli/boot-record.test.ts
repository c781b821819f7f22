import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bootMetrics, type BootRecord, writeBootRecord } from '../../src/cli/boot-record.ts';
import { needs } from '../helpers/needs.ts';
import { sampleProcess, sampleReport } from '../helpers/sample-report.ts';
import { exactly } from '../helpers/exactly.ts';

const orphan = sampleProcess();
const record: BootRecord = {
  schema: 1,
  startedAt: '2026-01-02T09:00:00.500Z',
  durationMs: 2345,
  ok: false,
  error: null,
  cleanup: {
    id: '20260102T090000Z-3f9a1c',
    trigger: 'boot',
    dryRun: false,
    scan: sampleReport([orphan]),
    actions: [
      {
        pid: 1,
        startTime: 1,
        comm: 'x',
        verdict: 'orphan',
        reason: 'container-gone',
        ports: [],
        steps: [],
        outcome: 'killed',
        detail: null,
        ms: 1,
      },
      {
        pid: 2,
        startTime: 1,
        comm: 'x',
        verdict: 'orphan',
        reason: 'container-gone',
        ports: [],
        steps: [],
        outcome: 'survived',
        detail: null,
        ms: 1,
      },
    ],
    ports: [],
    remaining: [orphan],
    ok: false,
  },
};

t.test('the record is written whole and readable for others, whatever the umask', (t) => {
  const directory = join(t.testdir(), 'orphand');
  const before = process.umask(0o077);
  t.same(writeBootRecord(record, directory, []), []);
  process.umask(before);
  const file = join(directory, 'boot.json');
  t.match(JSON.parse(readFileSync(file, 'utf8')), { schema: 1, ok: false, cleanup: { trigger: 'boot' } });
  t.equal(statSync(file).mode & 0o777, 0o644);
  t.same(writeBootRecord({ ...record, ok: true }, directory, []), []);
  t.match(JSON.parse(readFileSync(file, 'utf8')), { ok: true });
  t.same(readdirSync(directory), ['boot.json'], 'and nothing else is left');
  t.end();
});

t.test('metrics are written where node_exporter reads them, and nowhere else', (t) => {
  const dir = t.testdir({ there: {}, run: {}, file: '' });
  const places = [join(dir, 'there'), join(dir, 'missing'), join(dir, 'file')];
  t.same(writeBootRecord(record, join(dir, 'run'), places), []);
  t.match(readFileSync(join(dir, 'there/orphand_boot.prom'), 'utf8'), 'orphand_boot_success 0\n');
  t.equal(statSync(join(dir, 'there/orphand_boot.prom')).mode & 0o777, 0o644);
  t.same(readdirSync(dir).sort(), ['file', 'run', 'there']);
  t.end();
});

t.test('a link in the place of a file is replaced, not followed', (t) => {
  const dir = t.testdir({ run: {}, precious: 'precious' });
  symlinkSync(join(dir, 'precious'), join(dir, 'run/boot.json'));
  symlinkSync(join(dir, 'precious'), join(dir, `run/boot.json.${process.pid}.tmp`));
  t.same(writeBootRecord(record, join(dir, 'run'), []), []);
  t.equal(readFileSync(join(dir, 'precious'), 'utf8'), 'precious');
  t.notOk(statSync(join(dir, 'run/boot.json')).isSymbolicLink());
  t.match(readFileSync(join(dir, 'run/boot.json'), 'utf8'), /^\{/);
  t.end();
});

t.test('what cannot be written is told, and the rest is written', (t) => {
  const dir = t.testdir({ file: '', there: {} });
  const failures = writeBootRecord(record, join(dir, 'file/below'), [join(dir, 'there')]);
  t.match(failures, exactly(/boot\.json could not be written \(ENOTDIR\)/));
  t.equal(failures.length, 1);
  t.ok(statSync(join(dir, 'there/orphand_boot.prom')).isFile());
  t.end();
});

t.test('a boot that did nothing has all its metrics too', (t) => {
  const text = bootMetrics({ ...record, ok: true, cleanup: null });
  t.match(text, 'orphand_boot_success 1\n');
  t.match(text, 'orphand_boot_processes{outcome="killed"} 0\n');
  t.match(text, 'orphand_boot_remaining{verdict="orphan"} 0\n');
  t.match(bootMetrics(record), 'orphand_boot_processes{outcome="killed"} 1\n');
  t.match(bootMetrics(record), 'orphand_boot_remaining{verdict="orphan"} 1\n');
  t.match(bootMetrics(record), 'orphand_boot_timestamp_seconds 1767344400.5\n');
  t.match(bootMetrics(record), 'orphand_boot_duration_seconds 2.345\n');
  t.end();
});

t.test('promtool finds nothing to say about the metrics', (t) => {
  if (!needs(t, 'prometheus')) return;
  const said = execFileSync('promtool', ['check', 'metrics'], {
    input: bootMetrics(record),
    encoding: 'utf8',
  });
  t.equal(said, '');
  t.end();
});

t.test('the folder of the record is made, below /proc it is told that it cannot be', (t) => {
  const dir = t.testdir();
  t.same(writeBootRecord(record, join(dir, 'a/b'), []), []);
  t.equal(statSync(join(dir, 'a/b')).mode & 0o777, 0o755);
  t.same(writeBootRecord(record, '/proc/orphand/run', []), [
    '/proc/orphand/run/boot.json could not be written (ENOENT)',
  ]);
  t.end();
});
