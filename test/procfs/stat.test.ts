import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { isKernelThread, parseStat, readStat } from '../../src/procfs/stat.ts';

const TAIL =
  'S 41 42 43 0 -1 4194560 1263 0 0 0 10 6 0 0 20 0 7 0 152844 5214208 933 18446744073709551615 1 1 0 0\n';

const comms: [string, string][] = [
  ['an ordinary name', 'node'],
  ['a name that looks like the fields behind it', ') Z 0 ('],
  ['a name with parentheses and a state', 'a) R 1 (b'],
  ['a name with a newline', 'foo)\nZ\n'],
  ['a name of parentheses only', '()()()())))((('],
  ['an empty name', ''],
  ['a name of spaces', '   '],
  ['a name with an escape sequence', '\u001b[2J\u001b[31m'],
  ['a name with a carriage return', '\rUid:\t0'],
];

for (const [name, comm] of comms) {
  t.test(`${name} changes no other field`, (t) => {
    t.same(parseStat(`1234 (${comm}) ${TAIL}`), {
      pid: 1234,
      comm,
      state: 'S',
      ppid: 41,
      pgrp: 42,
      session: 43,
      flags: 4194560,
      threads: 7,
      startTime: 152844,
    });
    t.end();
  });
}

const malformed: [string, string][] = [
  ['nothing', ''],
  ['a newline', '\n'],
  ['no parentheses', `1234 node ${TAIL}`],
  ['a line that ends within the name', '1234 (no'],
  ['a line that ends behind the state', '1234 (node) S'],
  [
    'a line that ends before the start time',
    '1234 (node) S 41 42 43 0 -1 4194560 1263 0 0 0 10 6 0 0 20 0 7 0',
  ],
  ['a pid that is no number', `x (node) ${TAIL}`],
  ['a missing pid', `(node) ${TAIL}`],
  ['a parent that is no number', `1234 (node) ${TAIL.replace('41', 'x')}`],
  ['a state that is no letter', `1234 (node) ${TAIL.replace('S', '1')}`],
];

for (const [name, text] of malformed) {
  t.test(`${name} is an error that names the file`, (t) => {
    t.throws(() => parseStat(text, '/proc/7/stat'), { name: 'MalformedError', file: '/proc/7/stat' });
    t.end();
  });
}

t.test('the kernel gives a hostile name back as it was set', (t) => {
  const before = readFileSync('/proc/self/comm', 'utf8').trimEnd();
  t.teardown(() => {
    writeFileSync('/proc/self/comm', before);
  });
  for (const comm of [') Z 0 (y', 'a\nb) R 1 (c', '()']) {
    writeFileSync('/proc/self/comm', comm);
    const stat = readStat({ root: '/proc' }, process.pid);
    t.match(stat, { pid: process.pid, comm, ppid: process.ppid, state: 'R' }, JSON.stringify(comm));
  }
  t.end();
});

t.test('a name that is not UTF-8 is readable, with U+FFFD', (t) => {
  const line = Buffer.concat([Buffer.from('7 ('), Buffer.from([0xff, 0xc3, 0x29]), Buffer.from(`) ${TAIL}`)]);
  const stat = readStat({ root: t.testdir({ 7: { stat: line } }) }, 7);
  t.match(stat, { comm: '\ufffd\ufffd)', ppid: 41, startTime: 152844 });
  t.end();
});

t.test('a process that has gone, or left nothing to read, is undefined', (t) => {
  const proc = { root: t.testdir({ 7: { stat: '' } }) };
  t.equal(readStat(proc, 7), undefined);
  t.equal(readStat(proc, 8), undefined);
  t.end();
});

t.test('a malformed file names itself', (t) => {
  const root = t.testdir({ 7: { stat: 'x\n' } });
  t.throws(() => readStat({ root }, 7), { name: 'MalformedError', file: `${root}/7/stat` });
  t.end();
});

t.test('a kernel thread is known by its flag, not by its name or parent', (t) => {
  t.equal(isKernelThread({ flags: 69238880 }), true, 'kthreadd');
  t.equal(isKernelThread({ flags: 4194560 }), false, 'a user process');
  const self = readStat({ root: '/proc' }, process.pid);
  t.ok(self !== undefined && !isKernelThread(self), 'this process');
  t.end();
});
