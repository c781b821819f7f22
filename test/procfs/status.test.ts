import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { parseStatus, readStatus } from '../../src/procfs/status.ts';
import { needs } from '../helpers/needs.ts';
import { asNobody } from './children.ts';

const TEXT = `Name:\tnode
Umask:\t0022
State:\tS (sleeping)
Uid:\t1000\t1001\t1002\t1003
Gid:\t100\t101\t102\t103
NStgid:\t4242\t7\t1
NSpid:\t4242\t7\t1
`;

t.test('the real and the effective user are told apart, and the namespaces kept in order', (t) => {
  t.same(parseStatus(TEXT), { uid: 1000, euid: 1001, gid: 100, nsPid: [4242, 7, 1] });
  t.end();
});

const names: [string, string][] = [
  ['a carriage return', '\rUid:\t0\t0\t0\t0'],
  ['a line separator', '\u2028Uid:\t0\t0\t0\t0'],
  ['an escaped newline', String.raw`\nUid:` + '\t0\t0\t0\t0'],
  ['the field itself', 'Uid:\t0\t0\t0\t0'],
];
for (const [name, comm] of names) {
  t.test(`a process can't choose its user by a name with ${name}`, (t) => {
    t.match(parseStatus(TEXT.replace('node', comm)), { uid: 1000, euid: 1001 });
    t.end();
  });
}

for (const [name, separator] of [
  ['a carriage return', '\r'],
  ['a line separator', '\u2028'],
]) {
  t.test(`nor its namespaces by ${name}, where the kernel names none`, (t) => {
    const text = `Name:\tx${separator ?? ''}NSpid:\t1\nUid:\t7\t7\t7\t7\nGid:\t7\t7\t7\t7\n`;
    t.same(parseStatus(text).nsPid, []);
    t.end();
  });
}

t.test("the kernel's own text of such a name says who it is", (t) => {
  const before = readFileSync('/proc/self/comm', 'utf8').trimEnd();
  t.teardown(() => {
    writeFileSync('/proc/self/comm', before);
  });
  writeFileSync('/proc/self/comm', '\rUid:\t7\t7\t7\t7');
  t.match(readFileSync('/proc/self/status', 'utf8'), '\rUid:\t7\t7\t7\t7', 'not escaped by the kernel');
  t.match(readStatus({ root: '/proc' }, process.pid), { uid: process.getuid?.(), gid: process.getgid?.() });
  t.end();
});

t.test('a changed effective user is seen', (t) => {
  if (!needs(t, 'root')) return;
  const status = asNobody(() => readStatus({ root: '/proc' }, process.pid));
  t.match(status, { uid: 0, euid: 65534 });
  t.end();
});

t.test('a kernel without pid namespaces has no NSpid', (t) => {
  t.same(parseStatus('Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n').nsPid, []);
  t.end();
});

const malformed: [string, string][] = [
  ['no Uid', 'Gid:\t0\t0\t0\t0\n'],
  ['no Gid', 'Uid:\t0\t0\t0\t0\n'],
  ['one Uid only', 'Uid:\t0\nGid:\t0\t0\t0\t0\n'],
  ['a Uid that is no number', 'Uid:\troot\t0\t0\t0\nGid:\t0\t0\t0\t0\n'],
];
for (const [name, text] of malformed) {
  t.test(`a file with ${name} is an error, not user 0`, (t) => {
    const root = t.testdir({ 7: { status: text } });
    t.throws(() => readStatus({ root }, 7), { name: 'MalformedError', file: `${root}/7/status` });
    t.end();
  });
}

t.test('a process that has gone, or left nothing to read, is undefined', (t) => {
  const proc = { root: t.testdir({ 7: { status: '' } }) };
  t.equal(readStatus(proc, 7), undefined);
  t.equal(readStatus(proc, 8), undefined);
  t.end();
});
