import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { spawn } from 'node:child_process';
import t, { type Test } from 'tap';
import { findHolders } from '../../src/procfs/fd.ts';
import { readListeners } from '../../src/procfs/net.ts';
import { finish } from '../../src/procfs/steps.ts';
import { findHoldersFast, walkHoldersFast } from '../../src/scan/holders.ts';
import { canAskKernel } from '../helpers/bpf.ts';
import { needs } from '../helpers/needs.ts';
import { socketServer, threadWithOwnTable } from '../helpers/sockets.ts';
import { asNobody, start, startMainThreadExited, startNode } from '../procfs/children.ts';

const proc = { root: '/proc' };
const GONE = 2 ** 22 + 1;
/** More than it takes for comparing to be worth while. */
const MANY = 8_200;

function inodesOf(...ports: number[]): Set<number> {
  return new Set(
    readListeners(proc, { protocols: ['tcp'], ports: new Set(ports) }).map(({ inode }) => inode),
  );
}

async function listen(t: Test): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** Lets this process have so many descriptors that they are compared, until the test ends; what listens is to come first. */
function openMany(t: Test): void {
  const open = Array.from({ length: MANY }, () => openSync('/dev/null', 'r'));
  t.teardown(() => {
    for (const fd of open) closeSync(fd);
  });
}

/** A child with these sockets under the numbers from 3 on, which a shell may put elsewhere. */
async function inherit(t: Test, servers: Server[], script = ''): Promise<number> {
  const handles = servers.map((server) => (server as unknown as { _handle: { fd: number } })._handle.fd);
  const child = spawn('bash', ['-c', `${script} echo ready; exec sleep 1000`], {
    stdio: ['ignore', 'pipe', 'inherit', ...handles],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(() => {
    child.kill('SIGKILL');
    return ended;
  });
  await new Promise((resolve) => child.stdout!.once('data', resolve));
  return child.pid!;
}

/** Asserts that the fast way finds what the slow one does, and answers that. */
function sameHolders(t: Test, pids: number[], inodes: Set<number>): Map<number, number[]> {
  const slow = findHolders(proc, pids, inodes);
  t.strictSame(findHoldersFast(proc, pids, inodes), slow);
  return slow.holders;
}

t.test('one socket among thousands of descriptors, held by several processes', async (t) => {
  const server = await listen(t);
  openMany(t);
  const children = [await inherit(t, [server]), await inherit(t, [server]), await inherit(t, [])];
  const holders = sameHolders(t, [process.pid, ...children], inodesOf(portOf(server)));
  t.strictSame([...holders.values()], [[process.pid, children[0], children[1]].sort((a, b) => a! - b!)]);
});

t.test('many sockets, each held by some', async (t) => {
  const servers: Server[] = [];
  for (let count = 0; count < 12; count++) servers.push(await listen(t));
  openMany(t);
  const children: number[] = [];
  for (const step of [1, 2, 3, 5]) {
    children.push(
      await inherit(
        t,
        servers.filter((_, index) => index % step === 0),
      ),
    );
  }
  const holders = sameHolders(t, [process.pid, ...children], inodesOf(...servers.map(portOf)));
  t.equal(holders.size, 12);
  t.strictSame(new Set([...holders.values()].map(({ length }) => length)), new Set([2, 3, 4, 5]));
});

t.test('a socket under a high number, where no sample is looked for', async (t) => {
  const server = await listen(t);
  openMany(t);
  const child = await inherit(t, [server], 'exec 3000<&3 3<&-;');
  const holders = sameHolders(t, [child], inodesOf(portOf(server)));
  t.strictSame([...holders.values()], [[child]]);
});

t.test('a copy under a high number, far behind the others', async (t) => {
  const server = await listen(t);
  openMany(t);
  const child = await inherit(t, [server], 'exec 3000<&3 3<&-;');
  const holders = sameHolders(t, [process.pid, child], inodesOf(portOf(server)));
  t.strictSame([...holders.values()], [[process.pid, child].sort((a, b) => a - b)]);
});

t.test('a process whose main thread has exited', async (t) => {
  const { pid, line } = await startMainThreadExited(t);
  const server = await listen(t);
  openMany(t);
  t.equal(sameHolders(t, [process.pid, pid], inodesOf(portOf(server))).size, 1);
  t.equal(sameHolders(t, [process.pid, pid], inodesOf(Number(line), portOf(server))).size, 2);
});

t.test('a socket that nobody holds, and a process that has gone', async (t) => {
  const server = await listen(t);
  openMany(t);
  t.equal(sameHolders(t, [process.pid, GONE], inodesOf(portOf(server))).size, 1);
  t.equal(sameHolders(t, [process.pid], new Set([...inodesOf(portOf(server)), 1])).size, 1);
});

t.test('a client of the port holds no listening socket', async (t) => {
  const server = await listen(t);
  openMany(t);
  const { pid } = await startNode(
    t,
    `require('node:net').connect(${portOf(server)}, '127.0.0.1', () => console.log('connected'))`,
  );
  const holders = sameHolders(t, [process.pid, pid], inodesOf(portOf(server)));
  t.strictSame([...holders.values()], [[process.pid]]);
});

t.test('descriptors that come and go all the time hide no holder', async (t) => {
  openMany(t);
  const { pid, line } = await startNode(
    t,
    `const fs = require('node:fs');
    const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
      console.log(server.address().port);
      for (;;) {
        const open = Array.from({ length: 200 }, () => fs.openSync('/dev/null'));
        for (const fd of open) fs.closeSync(fd);
      }
    });`,
  );
  const inodes = inodesOf(Number(line));
  const wrong = [];
  for (let round = 0; round < 100; round++) {
    const { holders, unreadable } = findHoldersFast(proc, [process.pid, pid], inodes);
    if (unreadable.length > 0 || [...holders.values()].join() !== String(pid)) wrong.push(holders);
  }
  t.strictSame(wrong, []);
});

t.test('few descriptors, or a procfs of another namespace, are looked at one by one', async (t) => {
  const { pid } = await start(t, 'sh', ['-c', 'echo ready; exec sleep 1000']);
  t.equal(sameHolders(t, [pid], new Set([1])).size, 0);
  const root = t.testdir({
    self: { status: 'Name:\tx\nNSpid:\t7\t1\n' },
    7: { fd: { 3: t.fixture('symlink', 'socket:[5]') } },
  });
  t.strictSame(findHoldersFast({ root }, [7], new Set([5])).holders, new Map([[5, [7]]]));
});

/** Processes with so many descriptors together that the kernel is asked for those wanted, the last one with most of them. */
async function startVeryMany(t: Test): Promise<number[]> {
  const program = `import os, sys, time
for fd in range(3, int(sys.argv[1])): os.dup2(0, fd)
print(flush=True)
time.sleep(1000)`;
  const started = await Promise.all(
    ['2900', '17200'].map((count) => start(t, 'python3', ['-c', program, count])),
  );
  return started.map(({ pid }) => pid);
}

t.test('among very many descriptors: one socket, held by several processes', async (t) => {
  if (!canAskKernel(t)) return;
  const server = await listen(t);
  const many = await startVeryMany(t);
  const children = [await inherit(t, [server]), await inherit(t, [server], 'exec 3000<&3 3<&-;')];
  const inodes = inodesOf(portOf(server));
  const holders = sameHolders(t, [...many, process.pid, ...children], inodes);
  t.strictSame([...holders.values()], [[process.pid, ...children].sort((a, b) => a - b)]);
  t.equal(sameHolders(t, many, inodes).size, 0, 'those who are not asked about are not named');
  t.equal(sameHolders(t, [...many, children[0]!], new Set([...inodes, 1])).size, 1);
});

t.test('among very many descriptors: more sockets than can be compared', async (t) => {
  if (!canAskKernel(t)) return;
  const servers: Server[] = [];
  for (let count = 0; count < 60; count++) servers.push(await listen(t));
  const many = await startVeryMany(t);
  const child = await inherit(t, servers.slice(0, 40));
  const holders = sameHolders(t, [...many, process.pid, child], inodesOf(...servers.map(portOf)));
  t.strictSame(new Set([...holders.values()].map(({ length }) => length)), new Set([1, 2]));
  t.equal(holders.size, 60);
});

t.test(
  'among very many descriptors: of a thread with a table of its own, which only the kernel names',
  async (t) => {
    if (!canAskKernel(t)) return;
    const many = await startVeryMany(t);
    const { pid, inode } = await threadWithOwnTable(t);
    const [pids, inodes] = [[...many, pid], new Set([inode])];
    t.strictSame(findHoldersFast(proc, pids, inodes), { holders: new Map([[inode, [pid]]]), unreadable: [] });
    // So that this shows who is asked: the daemon has no time for it, and no privilege.
    t.strictSame(finish(walkHoldersFast(proc, pids, inodes)).holders, new Map());
    t.strictSame(findHoldersFast(proc, [pid], inodes).holders, new Map(), 'nor is it asked about a few');
  },
);

t.test('among very many descriptors: a file with the number of a socket is none', async (t) => {
  if (!canAskKernel(t)) return;
  const fd = openSync(import.meta.filename, 'r');
  t.teardown(() => {
    closeSync(fd);
  });
  const many = await startVeryMany(t);
  t.equal(sameHolders(t, [...many, process.pid], new Set([fstatSync(fd).ino])).size, 0);
});

t.test('among very many descriptors: without the privilege they are looked at as ever', async (t) => {
  if (!needs(t, 'root')) return;
  const many = await startVeryMany(t);
  const { pid, inode } = await socketServer(t);
  const { unreadable } = asNobody(() => {
    const slow = findHolders(proc, [...many, pid], new Set([inode]));
    t.strictSame(findHoldersFast(proc, [...many, pid], new Set([inode])), slow);
    return slow;
  });
  t.equal(unreadable.length, 3);
});

for (const others of [0, 1]) {
  t.test(`among very many descriptors: one that is moved all the time, with ${others} other`, async (t) => {
    if (!canAskKernel(t)) return;
    const many = await startVeryMany(t);
    const { pid, inode } = await socketServer(
      t,
      `def move():
  here, there = s.fileno(), 900
  while True:
    os.dup2(here, there)
    os.close(here)
    here, there = there, here
    time.sleep(0.01)
parent = os.getpid()
if ${others} and os.fork() == 0:
  while os.getppid() == parent: time.sleep(0.05)
  os._exit(0)
say = ready
ready = lambda: say(move)`,
    );
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter(Boolean)
      .map(Number);
    t.equal(children.length, others);
    const pids = [...many, pid, ...children];
    const found = Array.from({ length: 60 }, () => findHoldersFast(proc, pids, new Set([inode])));
    const wanted = [pid, ...children].sort((a, b) => a - b).join();
    t.strictSame(
      found.filter(({ holders }) => holders.get(inode)?.join() !== wanted),
      [],
    );
  });
}

/** A procfs that shows what it is told to, in which the kernel counts no descriptors; and so many pids that there may be many. */
function builtProc(t: Test, tree: object, status: string): { built: { root: string }; others: number[] } {
  const root = t.testdir({ self: { status }, ...tree });
  return { built: { root }, others: Array.from({ length: 400 }, (_, index) => GONE + index) };
}

t.test('a holder that the kernel names, and whose link can not be read', async (t) => {
  if (!canAskKernel(t)) return;
  const { pid, inode, fd } = await socketServer(t);
  // A link that is none is as unreadable as one that may not be read.
  const { built, others } = builtProc(
    t,
    { [pid]: { fd: { [fd]: '' } } },
    `Name:\tx\nNSpid:\t${process.pid}\n`,
  );
  t.strictSame(findHoldersFast(built, [pid, ...others], new Set([inode])), {
    holders: new Map(),
    unreadable: [{ pid, file: `${built.root}/${pid}/fd`, code: 'EINVAL' }],
  });
});

t.test('a socket that seems to be nobody’s is looked for by its link', (t) => {
  const tree = { [GONE - 1]: { fd: { 3: t.fixture('symlink', 'socket:[5]') } } };
  const { built, others } = builtProc(t, tree, `Name:\tx\nNSpid:\t${process.pid}\n`);
  t.strictSame(
    findHoldersFast(built, [GONE - 1, ...others], new Set([5])).holders,
    new Map([[5, [GONE - 1]]]),
  );
  t.end();
});

t.test('a procfs of another namespace has other pids than the kernel names', async (t) => {
  if (!canAskKernel(t)) return;
  const { pid, inode, fd } = await socketServer(t);
  const link = t.fixture('symlink', `socket:[${inode}]`);
  const tree = { [pid]: { fd: { [fd]: link } }, 7: { fd: { 3: link } } };
  const { built, others } = builtProc(t, tree, `Name:\tx\nNSpid:\t7\t${process.pid}\n`);
  t.strictSame(
    findHoldersFast(built, [7, pid, ...others], new Set([inode])).holders,
    new Map([[inode, [7, pid]]]),
  );
});
