import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { finish } from '../../src/procfs/steps.ts';
import { ProcessWatch } from '../../src/scan/process-watch.ts';
import { procTree, writeProcess } from '../helpers/proc-tree.ts';
import { startMainThreadExited } from '../procfs/children.ts';
import { exactly } from '../helpers/exactly.ts';
import { openDescriptors, openedSince } from '../helpers/descriptors.ts';

const proc = { root: '/proc' };

/** A watch over a built tree, by a clock that a test moves. */
function watching(t: Test, processes = [{ pid: 10, ppid: 1, cmdline: ['/bin/a'] }]) {
  const root = t.testdir();
  const time = { now: 0 };
  const watch = new ProcessWatch(procTree(root, processes, []), () => time.now);
  t.teardown(() => {
    watch.close();
  });
  const look = (pass = 15_000) => {
    time.now += pass;
    const { pids, changed, gone, settled } = finish(watch.look());
    return { pids, changed: [...changed], gone, settled };
  };
  return { root, look };
}

t.test('what is there at first is new, and settled once it was seen again later', (t) => {
  const { look } = watching(t);
  t.strictSame(look(), { pids: [1, 10, 999], changed: [1, 10, 999], gone: false, settled: false });
  t.strictSame(look(500), { pids: [1, 10, 999], changed: [], gone: false, settled: false }, 'too soon');
  t.strictSame(
    look(),
    { pids: [1, 10, 999], changed: [], gone: false, settled: false },
    'for the first time since',
  );
  t.strictSame(look(), { pids: [1, 10, 999], changed: [], gone: false, settled: true });
  t.end();
});

const changes: [string, (root: string) => void, object][] = [
  [
    'another command line',
    (root) => {
      writeProcess(root, { pid: 10, ppid: 1, cmdline: ['/bin/b'] });
    },
    { changed: [10], gone: false },
  ],
  [
    'a longer command line',
    (root) => {
      writeProcess(root, { pid: 10, ppid: 1, cmdline: ['/bin/a', 'b'] });
    },
    { changed: [10], gone: false },
  ],
  [
    'another cgroup',
    (root) => {
      writeProcess(root, { pid: 10, ppid: 1, cmdline: ['/bin/a'], cgroup: '/b' });
    },
    { changed: [10], gone: false },
  ],
  [
    'a new process',
    (root) => {
      writeProcess(root, { pid: 11, ppid: 1, cmdline: ['/bin/a'] });
    },
    { changed: [11], gone: false },
  ],
  [
    'a process that has gone',
    (root) => {
      rmSync(join(root, '10'), { recursive: true });
    },
    { changed: [], gone: true },
  ],
];
for (const [name, change, expected] of changes) {
  t.test(`${name} is seen, and keeps the host from being settled twice`, (t) => {
    const { root, look } = watching(t);
    for (let round = 0; round < 2; round += 1) look();
    t.match(look(), { settled: true });
    change(root);
    const { changed, gone, settled } = look();
    t.same({ changed, gone, settled }, { ...expected, settled: false });
    look();
    t.match(look(), { changed: exactly(), gone: false, settled: true });
    t.end();
  });
}

t.test('kernel threads come and go unnoticed', (t) => {
  const { root, look } = watching(t);
  const kernel = (pid: number) => {
    writeProcess(root, { pid, ppid: 2, cmdline: [], flags: 0x200000 });
  };
  kernel(20);
  for (let round = 0; round < 2; round += 1) look();
  kernel(21);
  t.strictSame(look(), { pids: [1, 10, 999], changed: [], gone: false, settled: true });
  rmSync(join(root, '20'), { recursive: true });
  t.match(look(), { gone: false, settled: true });
  writeProcess(root, { pid: 21, ppid: 1, cmdline: ['/bin/a'] });
  t.match(
    look(),
    { changed: exactly(21), settled: false },
    'the number of one that is another process by now',
  );
  t.end();
});

t.test('processes that there are no descriptors for are new in every look', (t) => {
  const root = t.testdir();
  const tree = procTree(root, [{ pid: 10, ppid: 1, cmdline: ['/bin/a'] }], []);
  writeFileSync(
    join(root, 'self/limits'),
    'Max open files            8                    8                    files\n',
  );
  const watch = new ProcessWatch(tree, () => 0);
  t.teardown(() => {
    watch.close();
  });
  const look = () => {
    const { changed, gone } = finish(watch.look());
    return { changed: [...changed], gone };
  };
  t.same(look(), { changed: [1, 10, 999], gone: false });
  t.same(look(), { changed: [999], gone: false }, 'four of eight are enough for two');
  rmSync(join(root, '10'), { recursive: true });
  t.same(look(), { changed: [999], gone: true });
  t.same(look(), { changed: [], gone: false }, 'two that were given back are enough for another');
  t.end();
});

t.test('the descriptors are given back', async (t) => {
  const before = openDescriptors();
  const watch = new ProcessWatch(proc, () => 0);
  finish(watch.look());
  t.ok(openedSince(before).length > 0);
  const child = spawn('sleep', ['1000']);
  await new Promise((resolve) => child.once('spawn', resolve));
  finish(watch.look());
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  finish(watch.look());
  watch.close();
  t.same(openedSince(before), []);
});

t.test('one whose main thread has exited, and whose others are not seen, is never settled', async (t) => {
  const { pid } = await startMainThreadExited(t);
  const watch = new ProcessWatch(proc, () => 0);
  t.teardown(() => {
    watch.close();
  });
  finish(watch.look());
  t.ok(finish(watch.look()).changed.has(pid));
  t.ok(finish(watch.look()).changed.has(pid));
});
