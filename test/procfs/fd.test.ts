import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import t, { type Test } from 'tap';
import { findHolders } from '../../src/procfs/fd.ts';
import { readListeners } from '../../src/procfs/net.ts';
import { listPids } from '../../src/procfs/pids.ts';
import { needs } from '../helpers/needs.ts';
import { asNobody, start, startMainThreadExited, startNode } from './children.ts';

const own = { root: '/proc' };
const GONE = 2 ** 22 + 1;

function inodesOf(port: number): Set<number> {
  return new Set(
    readListeners(own, { protocols: ['tcp'], ports: new Set([port]) }).map((listener) => listener.inode),
  );
}

async function listen(t: Test): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

t.test('every holder of a socket is found, each once, and nobody else', (t) => {
  const link = (target: string) => t.fixture('symlink', target);
  const root = t.testdir({
    1: { fd: { 0: link('/dev/null'), 3: link('socket:[5]') } },
    2: { fd: { 0: link('socket:[5]'), 7: link('socket:[5]'), 8: link('socket:[6]') } },
    3: {
      fd: {
        0: link('socket:[55]'),
        1: link('pipe:[5]'),
        2: link('/tmp/socket:[5]'),
        3: link('anon_inode:[eventpoll]'),
        4: link('socket:[5] (deleted)'),
      },
    },
    4: { fd: {} },
    5: {},
  });
  t.same(findHolders({ root }, [1, 2, 3, 4, 5, 6], new Set([5, 6, 7])), {
    holders: new Map([
      [5, [1, 2]],
      [6, [2]],
    ]),
    unreadable: [],
  });
  t.same(findHolders({ root }, [2], new Set([5])).holders, new Map([[5, [2]]]), 'only the pids asked for');
  t.same(findHolders({ root }, [1, 2], new Set()).holders, new Map());
  t.end();
});

t.test('a real listener and the child that inherited it are both holders', async (t) => {
  const { pid, line } = await startNode(
    t,
    `const { spawn } = require('node:child_process');
    const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
      const child = spawn('sleep', ['1000'], { stdio: [server._handle, 'ignore', 'ignore'] });
      process.on('SIGTERM', () => child.kill('SIGKILL'));
      child.on('exit', () => process.exit());
      child.on('spawn', () => console.log(server.address().port + ' ' + child.pid));
    });`,
  );
  // Ends both: the child first, by its parent.
  t.teardown(() => {
    process.kill(pid, 'SIGTERM');
    return new Promise((resolve) => setTimeout(resolve, 100));
  });
  const [port, child] = line.split(' ').map(Number);
  const inodes = inodesOf(port!);
  t.equal(inodes.size, 1);
  const { holders } = findHolders(own, listPids(own), inodes);
  t.same([...holders.values()], [[pid, child].sort((a, b) => a! - b!)]);
});

t.test('a client of the port holds no listening socket', async (t) => {
  const port = await listen(t);
  const { pid } = await startNode(
    t,
    `require('node:net').connect(${port}, '127.0.0.1', () => console.log('connected'))`,
  );
  const { holders } = findHolders(own, [pid, process.pid], inodesOf(port));
  t.same([...holders.values()], [[process.pid]]);
});

t.test('a process whose main thread has exited is found by its other threads', async (t) => {
  const { pid, line } = await startMainThreadExited(t);
  const inodes = inodesOf(Number(line));
  t.equal(inodes.size, 1, 'it listens');
  t.same(findHolders(own, [pid], inodes), { holders: new Map([[[...inodes][0], [pid]]]), unreadable: [] });
});

t.test('descriptors that go away while they are read hide no other, and are no error', async (t) => {
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
  const expected = { holders: new Map([[[...inodes][0], [pid]]]), unreadable: [] };
  const wrong = [];
  for (let round = 0; round < 200; round++) {
    const found = findHolders(own, [pid], inodes);
    if (found.unreadable.length > 0 || found.holders.size !== 1) wrong.push(found);
  }
  t.same(wrong, []);
  t.same(findHolders(own, [pid], inodes), expected);
});

t.test('a process that has gone holds nothing and is no error', (t) => {
  t.same(findHolders(own, [GONE], new Set([1])), { holders: new Map(), unreadable: [] });
  t.end();
});

t.test("another user's process is recorded as unreadable, once, and hides no other", async (t) => {
  if (!needs(t, 'root')) return;
  const port = await listen(t);
  const { pid } = await start(t, 'sh', ['-c', 'echo ready; exec sleep 1000']);
  const inodes = inodesOf(port);
  const found = asNobody(() => findHolders(own, [pid, process.pid], inodes));
  t.same(found, {
    holders: new Map([[[...inodes][0], [process.pid]]]),
    unreadable: [{ pid, file: `/proc/${pid}/fd`, code: 'EACCES' }],
  });
});

t.test('links that may not be read although their directory may are one fact about the directory', (t) => {
  if (!needs(t, 'root')) return;
  const root = mkdtempSync(`${tmpdir()}/orphand-`);
  t.teardown(() => {
    rmSync(root, { recursive: true });
  });
  mkdirSync(`${root}/7/fd`, { recursive: true });
  for (const name of ['3', '4', '5']) symlinkSync('socket:[5]', `${root}/7/fd/${name}`);
  chmodSync(root, 0o755);
  // Listed, but not searched: as a process that CAP_DAC_READ_SEARCH may list and CAP_SYS_PTRACE is missing for.
  chmodSync(`${root}/7/fd`, 0o744);
  const found = asNobody(() => findHolders({ root }, [7], new Set([5])));
  t.same(found, { holders: new Map(), unreadable: [{ pid: 7, file: `${root}/7/fd`, code: 'EACCES' }] });
  t.end();
});

t.test('a malformed stat of one process is recorded and hides no other', (t) => {
  const root = t.testdir({
    7: { fd: {}, stat: 'x' },
    8: { fd: { 3: t.fixture('symlink', 'socket:[5]') } },
  });
  t.same(findHolders({ root }, [7, 8], new Set([5])), {
    holders: new Map([[5, [8]]]),
    unreadable: [{ pid: 7, file: `${root}/7/stat`, code: 'EBADMSG' }],
  });
  t.end();
});
