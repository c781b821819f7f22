import { closeSync, openSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { spawn } from 'node:child_process';
import t, { type Test } from 'tap';
import { findHolders } from '../../src/procfs/fd.ts';
import { readListeners } from '../../src/procfs/net.ts';
import { findHoldersFast } from '../../src/scan/holders.ts';
import { start, startMainThreadExited, startNode } from '../procfs/children.ts';

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
