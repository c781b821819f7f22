import { chmodSync, copyFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import t from 'tap';
import { readExe, readNamespace, readRootLink } from '../../src/procfs/links.ts';
import { needs } from '../helpers/needs.ts';
import { asNobody, start } from './children.ts';

const own = { root: '/proc' };

t.test("a real process's program, root and namespaces are the kernel's words", (t) => {
  t.equal(readExe(own, process.pid), realpathSync(process.execPath));
  t.equal(readRootLink(own, process.pid), '/');
  for (const kind of ['mnt', 'pid', 'net', 'user'] as const) {
    t.equal(readNamespace(own, process.pid, kind), readlinkSync(`/proc/self/ns/${kind}`), kind);
    t.match(readNamespace(own, process.pid, kind), new RegExp(`^${kind}:\\[\\d+\\]$`));
  }
  t.end();
});

t.test('a program that was replaced while it runs keeps its name', async (t) => {
  const program = `${t.testdir({})}/conmon`;
  copyFileSync('/bin/sh', program);
  chmodSync(program, 0o755);
  const { pid } = await start(t, program, ['-c', 'echo ready; read x </dev/zero']);
  rmSync(program);
  t.equal(readlinkSync(`/proc/${pid}/exe`), `${program} (deleted)`, "the kernel's text");
  t.equal(readExe(own, pid), program);
});

t.test('gone is undefined', (t) => {
  const proc = { root: t.testdir({ 7: {} }) };
  for (const pid of [7, 8]) {
    t.equal(readExe(proc, pid), undefined);
    t.equal(readRootLink(proc, pid), undefined);
    t.equal(readNamespace(proc, pid, 'net'), undefined);
  }
  t.end();
});

t.test("another user's process is unreadable, never gone", async (t) => {
  if (!needs(t, 'root')) return;
  const { pid } = await start(t, 'sh', ['-c', 'echo ready; exec sleep 1000']);
  const attempts: [string, () => unknown][] = [
    ['exe', () => readExe(own, pid)],
    ['root', () => readRootLink(own, pid)],
    ['ns/net', () => readNamespace(own, pid, 'net')],
  ];
  for (const [name, act] of attempts) {
    t.throws(() => asNobody(act), { name: 'UnreadableError', file: `/proc/${pid}/${name}`, code: 'EACCES' });
  }
});
