import { readFileSync } from 'node:fs';
import t from 'tap';
import { readBootId, readBootTime, startedAt } from '../../src/procfs/boot.ts';
import { readStat } from '../../src/procfs/stat.ts';

const own = { root: '/proc' };
const tree = (id: string): object => ({ sys: { kernel: { random: { boot_id: id } } } });

t.test('the boot id is the text of its file, without the newline', (t) => {
  t.equal(readBootId({ root: t.testdir(tree('6d2b-x\n') as never) }), '6d2b-x');
  t.equal(readBootId(own), readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
  t.match(readBootId(own), /^[\da-f]{8}-[\da-f]{4}-/);
  t.end();
});

t.test('the boot time is btime in ms, whatever stands around it', (t) => {
  const stat = 'cpu  1 2 3\nintr 5 0 0\nctxt 9\nbtime 1700000000\nprocesses 77\n';
  t.equal(readBootTime({ root: t.testdir({ stat }) }), 1_700_000_000_000);
  t.end();
});

t.test('this process started after its boot and its parent, and before now', (t) => {
  const boot = readBootTime(own);
  const started = (pid: number): number => Date.parse(startedAt(boot, readStat(own, pid)!.startTime));
  t.ok(started(process.pid) >= started(process.ppid));
  t.ok(started(process.pid) > boot);
  t.ok(started(process.pid) <= Date.now() + 1000, 'btime is in whole seconds');
  t.end();
});

const times: [number, number, string][] = [
  [0, 0, '1970-01-01T00:00:00.000Z'],
  [1_700_000_000_000, 1, '2023-11-14T22:13:20.010Z'],
  [1_700_000_000_000, 8_640_000, '2023-11-15T22:13:20.000Z'],
];
for (const [boot, ticks, expected] of times) {
  t.test(`${ticks} ticks after ${boot} is ${expected}`, (t) => {
    t.equal(startedAt(boot, ticks), expected);
    t.end();
  });
}

t.test('what must be there and is not is an error: an identity without a boot is none', (t) => {
  const root = t.testdir({ ...tree('\n'), stat: 'cpu 1\n' });
  t.throws(() => readBootId({ root }), { name: 'MalformedError' });
  t.throws(() => readBootTime({ root }), { name: 'MalformedError', file: `${root}/stat` });
  const empty = { root: `${root}/sys` };
  t.throws(() => readBootId(empty), { name: 'UnreadableError', code: 'ENOENT' });
  t.throws(() => readBootTime(empty), { name: 'UnreadableError', code: 'ENOENT' });
  t.end();
});
