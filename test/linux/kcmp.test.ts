import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readlinkSync } from 'node:fs';
import t, { type Test } from 'tap';
import {
  canCompareOpenFiles,
  findOpenFiles,
  isOpen,
  sortByOpenFile,
  type Descriptor,
} from '../../src/linux/kcmp.ts';
import { listPids } from '../../src/procfs/pids.ts';
import { isKernelThread, readStat } from '../../src/procfs/stat.ts';
import { finish } from '../../src/procfs/steps.ts';
import { start } from '../procfs/children.ts';

const GONE = 2 ** 22 + 1;
const proc = { root: '/proc' };

function lookThrough<T extends Descriptor>(known: readonly T[], pid: number): Set<T> | undefined {
  return finish(findOpenFiles(known, pid));
}

/** Opens a file of one's own: each is another open file, even where it is the same file. */
function open(t: Test): { pid: number; fd: number } {
  const fd = openSync('/dev/null', 'r');
  t.teardown(() => {
    closeSync(fd);
  });
  return { pid: process.pid, fd };
}

t.test('open files can be compared here', (t) => {
  t.equal(canCompareOpenFiles(), true);
  t.end();
});

t.test('a number is open or it is not', (t) => {
  const file = open(t);
  t.equal(isOpen(file), true);
  t.equal(isOpen({ pid: process.pid, fd: 19_999 }), false);
  t.equal(isOpen({ pid: GONE, fd: 0 }), false);
  t.end();
});

t.test(
  'an inherited descriptor is found under whatever number, and another of the same file is not',
  async (t) => {
    const { pid } = await start(t, 'sh', ['-c', 'exec 9>&1; echo ready; exec sleep 1000']);
    const theirs = { pid, fd: 1 };
    t.strictSame(lookThrough([theirs], pid), new Set([theirs]), 'it has it itself');
    t.strictSame(lookThrough([{ pid, fd: 9 }], pid)?.size, 1, 'as a copy, too');
    t.strictSame(lookThrough([open(t)], pid), new Set());
  },
);

for (const fd of [10, 60, 500, 4000]) {
  t.test(`a descriptor behind a gap is found: ${fd}`, async (t) => {
    const { pid } = await start(t, 'bash', ['-c', `exec ${fd}</dev/zero; echo ready; exec sleep 1000`]);
    t.equal(readlinkSync(`/proc/${pid}/fd/${fd}`), '/dev/zero');
    t.strictSame(lookThrough([{ pid, fd }], pid), new Set([{ pid, fd }]));
  });
}

t.test('each of many known open files is found among the many of a process', (t) => {
  const files = Array.from({ length: 31 }, () => open(t));
  for (let other = 0; other < 200; other++) open(t);
  const known = sortByOpenFile([...files]);
  t.strictSame(new Set(known), new Set(files), 'sorting loses none');
  t.strictSame(lookThrough(known, process.pid), new Set(files));
  t.end();
});

const tables: [string, string][] = [
  ['many descriptors', 'for fd in range(3, 603): os.dup2(0, fd)'],
  ['many gaps', 'for fd in range(32, 32 * 300, 32): os.dup2(0, fd)'],
];
for (const [name, fill] of tables) {
  t.test(`others have their turn among ${name}`, async (t) => {
    const program = `import os, time\n${fill}\nprint(flush=True)\ntime.sleep(1000)`;
    const { pid } = await start(t, 'python3', ['-c', program]);
    const steps = findOpenFiles([open(t)], pid);
    let turns = 0;
    while (steps.next().done !== true) turns += 1;
    t.ok(turns >= (name === 'many gaps' ? 250 : 2), `${turns}`);
  });
}

t.test('a descriptor that is moved up while others have their turn is found', async (t) => {
  // 511 is the last one that is open, until it is 600 of three.
  const program = `import os, signal
os.closerange(3, 1000)
os.dup2(0, 511)
os.close(0)
def move(*_):
  os.dup2(511, 600)
  os.dup2(1, 700)
  os.close(511)
  print(flush=True)
signal.signal(signal.SIGUSR1, move)
print(flush=True)
while True: signal.pause()`;
  const file = openSync('/dev/null', 'r');
  const child = spawn('python3', ['-c', program], { stdio: [file, 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
    closeSync(file);
  });
  await once(child.stdout!, 'data');
  const steps = findOpenFiles([{ pid: process.pid, fd: file }], child.pid!);
  steps.next();
  child.kill('SIGUSR1');
  await once(child.stdout!, 'data');
  t.equal(finish(steps)?.size, 1);
});

t.test('of a process without descriptors, a kernel thread or none at all, it can not be told', (t) => {
  const known = [{ pid: process.pid, fd: 0 }];
  t.equal(lookThrough(known, GONE), undefined);
  // A container sees none.
  const thread = listPids(proc).find((pid) => {
    const stat = readStat(proc, pid);
    return stat !== undefined && isKernelThread(stat);
  });
  if (thread !== undefined) t.equal(lookThrough(known, thread), undefined);
  t.end();
});

t.test('a known descriptor that is closed is found nowhere, and is seen to be closed', (t) => {
  const fd = openSync('/dev/null', 'r');
  const known = { pid: process.pid, fd };
  t.equal(lookThrough([known], process.pid)?.size, 1);
  closeSync(fd);
  t.equal(lookThrough([known], process.pid)?.size ?? 0, 0);
  t.equal(isOpen(known), false);
  t.end();
});
