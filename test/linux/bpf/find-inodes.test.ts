import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import t from 'tap';
import { findInodes, parseFound, type FoundDescriptor } from '../../../src/linux/bpf/find-inodes.ts';
import { canAskKernel } from '../../helpers/bpf.ts';
import { openDescriptors, openedSince } from '../../helpers/descriptors.ts';
import { needs } from '../../helpers/needs.ts';
import { asNobody, startMainThreadExited } from '../../procfs/children.ts';
import { until } from '../../helpers/lab/wait.ts';
import { socketServer, threadWithOwnTable } from '../../helpers/sockets.ts';

/** What the kernel finds, each confirmed by its link. */
function find(...inodes: number[]): FoundDescriptor[] {
  const found = findInodes(new Set(inodes));
  if (found === undefined) throw new Error('the kernel does not let itself be asked');
  for (const { pid, tid, fd, inode } of found) {
    const link = readlinkSync(`/proc/${pid}/task/${tid}/fd/${fd}`);
    if (link !== `socket:[${inode}]`) throw new Error(`${pid} has ${link} under ${fd}`);
  }
  return found;
}

t.test('who holds a socket, and under which numbers', async (t) => {
  if (!canAskKernel(t)) return;
  const { pid, inode, fd } = await socketServer(t, `os.dup2(s.fileno(), 900)`);
  t.strictSame(find(inode), [
    { pid, tid: pid, fd, inode },
    { pid, tid: pid, fd: 900, inode },
  ]);
  t.strictSame(find(), [], 'none was asked for');
  t.strictSame(find(2 ** 32 + inode), [], 'numbers have 64 bits');
});

t.test('more than is read at a time', async (t) => {
  if (!canAskKernel(t)) return;
  const { pid, inode, fd } = await socketServer(
    t,
    `for copy in range(1000, 6000): os.dup2(s.fileno(), copy)`,
  );
  const copies = Array.from({ length: 5_000 }, (_, index) => 1_000 + index);
  t.strictSame(
    find(inode),
    [fd, ...copies].map((each) => ({ pid, tid: pid, fd: each, inode })),
  );
});

t.test('behind two million others, of which none is wanted', async (t) => {
  if (!canAskKernel(t)) return;
  // The kernel answers EAGAIN after a million without a hit. Those that share a table (clone(2) with CLONE_FILES) are looked at one by one.
  const millions = `import platform
for fd in range(100, 19100): os.dup2(0, fd)
clone = 220 if platform.machine() == 'aarch64' else 56
import ctypes, signal
for _ in range(120):
  if ctypes.CDLL(None).syscall(clone, 0x400 | signal.SIGCHLD, 0, 0, 0, 0) == 0:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    time.sleep(1000)`;
  const sharers = await socketServer(t, millions);
  const { pid, inode, fd } = await socketServer(t);
  t.strictSame(find(inode), [{ pid, tid: pid, fd, inode }]);
  t.equal(find(sharers.inode).length, 121);
});

t.test('everyone who shares it, and each of several', async (t) => {
  if (!canAskKernel(t)) return;
  const one = await socketServer(
    t,
    `parent = os.getpid()
if os.fork() == 0:
  while os.getppid() == parent: time.sleep(0.05)
  os._exit(0)`,
  );
  const two = await socketServer(t);
  const found = await until('the child', () => {
    const all = find(one.inode, two.inode);
    return all.length === 3 && all;
  });
  t.strictSame(found.map(({ inode }) => inode).sort(), [one.inode, one.inode, two.inode].sort());
  t.equal(new Set(found.map(({ pid }) => pid)).size, 3);
  t.ok(found.every(({ pid, tid }) => pid === tid));
});

t.test('a thread with descriptors of its own', async (t) => {
  if (!canAskKernel(t)) return;
  const { pid, tid, inode, fd } = await threadWithOwnTable(t);
  t.not(tid, pid);
  t.strictSame(find(inode), [{ pid, tid, fd, inode }]);
});

t.test('a process whose main thread has exited', async (t) => {
  if (!canAskKernel(t)) return;
  const { pid, line } = await startMainThreadExited(t);
  const inode = Number(
    new RegExp(`:${Number(line).toString(16).toUpperCase()} 00000000:0000 0A .* (\\d+) 1 `).exec(
      readFileSync('/proc/net/tcp', 'utf8'),
    )?.[1],
  );
  const found = find(inode);
  // Once for each of its other threads, which share their descriptors.
  t.ok(found.length > 0);
  t.ok(found.every((each) => each.pid === pid && each.tid !== pid && each.inode === inode));
});

t.test('one in a pid namespace of its own, by the number that it has here', async (t) => {
  if (!canAskKernel(t) || !needs(t, 'unshare')) return;
  const { pid, inode, fd } = await socketServer(t, '', ['unshare', '--pid', '--fork', '--kill-child']);
  const inside = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
  t.match(readFileSync(`/proc/${inside}/status`, 'utf8'), new RegExp(`NSpid:\t.*\\b${inside}\t1\n`));
  t.strictSame(find(inode), [{ pid: inside, tid: inside, fd, inode }]);
});

/** What findInodes says in a process so many pid namespaces deeper, of a socket of its own and of another one. */
function askFrom(depth: number, other: number): { own: { fd: number; inode: number }; found: unknown } {
  const module = new URL('../../../src/linux/bpf/find-inodes.ts', import.meta.url).href;
  const script = `
    const { findInodes } = await import(${JSON.stringify(module)});
    const { createServer } = await import('node:net');
    const { readlinkSync } = await import('node:fs');
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { fd } = server._handle;
      const inode = Number(/\\d+/.exec(readlinkSync('/proc/self/fd/' + fd))[0]);
      console.log(JSON.stringify({ own: { fd, inode }, found: findInodes(new Set([inode, ${other}])) ?? null }));
      server.close();
    });`;
  const deeper = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
  const command = [process.execPath, '--import=tsx', '--input-type=module', '-e', script];
  const [program, ...args] = [...Array.from({ length: depth }, () => deeper).flat(), ...command];
  const { stdout, stderr } = spawnSync(program ?? '', args, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as ReturnType<typeof askFrom>;
}

t.test('asked from such a namespace: by the numbers that it has there, and nobody outside', async (t) => {
  if (!canAskKernel(t) || !needs(t, 'unshare')) return;
  const outside = await socketServer(t);
  const { own, found } = askFrom(7, outside.inode);
  t.strictSame(found, [{ pid: 1, tid: 1, ...own }]);
});

t.test('what does not find the socket that was made for the purpose has found nothing out', (t) => {
  // Its own number is not among those that the program looks at.
  if (canAskKernel(t) && needs(t, 'unshare')) t.equal(askFrom(8, 1).found, null);
  t.end();
});

t.test('a file of another file system may have the number of a socket: its link is what tells', (t) => {
  if (!canAskKernel(t)) {
    t.end();
    return;
  }
  const fd = openSync(import.meta.filename, 'r');
  const inode = fstatSync(fd).ino;
  t.strictSame(
    findInodes(new Set([inode]))?.filter(({ pid }) => pid === process.pid),
    [{ pid: process.pid, tid: process.pid, fd, inode }],
  );
  closeSync(fd);
  t.end();
});

t.test('of very many it is not asked', async (t) => {
  if (!canAskKernel(t)) return;
  const { inode } = await socketServer(t);
  const many = (count: number) =>
    new Set([inode, ...Array.from({ length: count - 1 }, (_, index) => 1e9 + index)]);
  t.equal(findInodes(many(512))?.filter((each) => each.inode === inode).length, 1);
  t.equal(findInodes(many(513)), undefined);
});

t.test('without the privilege it says that it can not tell, and leaves nothing open', async (t) => {
  if (!needs(t, 'root')) return;
  const { inode } = await socketServer(t);
  findInodes(new Set([inode]));
  const before = openDescriptors();
  t.equal(
    asNobody(() => findInodes(new Set([inode]))),
    undefined,
  );
  findInodes(new Set([inode]));
  t.same(openedSince(before), []);
});

t.test('records are read in the order of the program’s stack', (t) => {
  const record = Buffer.alloc(24);
  for (const [at, value] of [5, 6, 7].entries()) record.writeUInt32LE(value, 4 * at);
  record.writeBigUInt64LE(2n ** 40n + 8n, 16);
  t.strictSame(parseFound(Buffer.concat([record, record])), [
    { pid: 5, tid: 6, fd: 7, inode: 2 ** 40 + 8 },
    { pid: 5, tid: 6, fd: 7, inode: 2 ** 40 + 8 },
  ]);
  t.strictSame(parseFound(Buffer.alloc(0)), []);
  t.end();
});
