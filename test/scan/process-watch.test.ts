import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { finish } from '../../src/procfs/steps.ts';
import { ProcessWatch } from '../../src/scan/process-watch.ts';
import { endProcess, procTree, writeProcess, type FakeProcess } from '../helpers/proc-tree.ts';
import { start, startMainThreadExited } from '../procfs/children.ts';
import { exactly } from '../helpers/exactly.ts';
import { openDescriptors, openedSince } from '../helpers/descriptors.ts';

const proc = { root: '/proc' };

/** A watch over a built tree, by a clock that a test moves; `limit`: how many descriptors there may be. */
function watching(
  t: Test,
  processes: FakeProcess[] = [{ pid: 10, ppid: 1, cmdline: ['/bin/a'] }],
  limit = 20_000,
) {
  const root = t.testdir();
  const time = { now: 0 };
  const tree = procTree(root, processes, []);
  writeFileSync(join(root, 'self/limits'), `Max open files            ${limit}   ${limit}   files\n`);
  const watch = new ProcessWatch(tree, () => time.now);
  t.teardown(() => {
    watch.close();
  });
  const look = (pass = 15_000, { whole = false, forks = undefined as number | undefined } = {}) => {
    time.now += pass;
    const { pids, changed, gone, settled } = finish(watch.look(whole, forks));
    return { pids, changed: [...changed], gone, settled };
  };
  /** Looks until nothing is young. */
  const settle = (options = {}) => {
    for (let round = 0; round < 3; round += 1) look(15_000, options);
  };
  return { root, look, settle };
}

function lookOnce(watch: ProcessWatch) {
  return finish(watch.look(false, undefined));
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

t.test('as long as the system has not forked, there is nobody new', (t) => {
  const { root, look, settle } = watching(t);
  const count = (forks: number) => look(15_000, { forks });
  settle({ forks: 5 });
  t.match(count(5), { settled: true });
  // The kernel would have counted it: what is not counted is not looked for.
  writeProcess(root, { pid: 11, ppid: 1, cmdline: ['/bin/b'] });
  t.match(count(5), { pids: exactly(1, 10, 999), settled: true });
  t.match(count(6), { pids: exactly(1, 10, 11, 999), changed: exactly(11), settled: false });
  writeProcess(root, { pid: 12, ppid: 1, cmdline: ['/bin/b'] });
  t.match(
    look(0, { forks: 6, whole: true }),
    { changed: exactly(12) },
    'a look at everything does not rely on it',
  );
  t.end();
});

t.test('without a fork, one that has ended or become another is seen', (t) => {
  const { root, look, settle } = watching(t);
  const count = () => look(15_000, { forks: 5 });
  settle({ forks: 5 });
  writeProcess(root, { pid: 10, ppid: 1, cmdline: ['/bin/b'] });
  t.match(count(), { pids: exactly(1, 10, 999), changed: exactly(10), settled: false });
  endProcess(root, 10);
  t.match(count(), { pids: exactly(1, 999), changed: exactly(), gone: true, settled: false });
  t.match(count(), { pids: exactly(1, 999), changed: exactly(), gone: false, settled: true });
  t.end();
});

t.test('one that can not be read has not ended', (t) => {
  const { root, look, settle } = watching(t);
  const count = () => look(15_000, { forks: 5 });
  settle({ forks: 5 });
  // As EPERM or EMFILE would: a test that is root may read anything.
  writeProcess(root, { pid: 10, ppid: 1, cmdline: ['/bin/b'] });
  for (const file of ['cmdline', 'stat']) {
    rmSync(join(root, '10', file));
    symlinkSync(file, join(root, '10', file));
  }
  writeFileSync(join(root, '10/cgroup'), '0::/b\n');
  t.match(count(), { pids: exactly(1, 10, 999), changed: exactly(10), gone: false });
  t.match(count(), { pids: exactly(1, 10, 999), changed: exactly(10), gone: false });
  t.end();
});

t.test('the command line of one that has not run is not read again', (t) => {
  const process = { pid: 10, ppid: 1, cmdline: ['/bin/a'], ran: 7 };
  const { root, look } = watching(t, [process]);
  look();
  look(0, { whole: true });
  look();
  t.match(look(), { settled: true });
  const become = (changes: object) => {
    writeProcess(root, { ...process, cmdline: ['/bin/b'], ...changes });
  };
  become({});
  t.match(look(), { changed: exactly(), settled: true }, 'the kernel would have counted that it ran');
  t.match(look(0, { whole: true }), { changed: exactly(10) }, 'but a look at everything does not rely on it');
  t.end();
});

const restless: [string, object, object][] = [
  ['has run', {}, { ran: 8 }],
  ['was moved to another cgroup', {}, { cmdline: ['/bin/a'], cgroup: '/b' }],
  ['has a second thread', { threads: 2 }, {}],
  ['was running when it was looked at', { state: 'R' }, {}],
  ['lives where the kernel keeps no statistics', { ran: 0 }, {}],
  ['lives where there are none', { ran: undefined }, {}],
];
for (const [name, before, after] of restless) {
  t.test(`one that ${name} is seen to have become another`, (t) => {
    const process = { pid: 10, ppid: 1, cmdline: ['/bin/a'], ran: 7, ...before };
    const { root, look } = watching(t, [process]);
    look();
    look(0, { whole: true });
    look();
    t.match(look(), { changed: exactly(), settled: true });
    writeProcess(root, { ...process, cmdline: ['/bin/b'], ...after });
    t.match(look(), { changed: exactly(10), settled: false });
    t.end();
  });
}

t.test('one that has run is at rest again only once everything was looked at', (t) => {
  const process = { pid: 10, ppid: 1, cmdline: ['/bin/a'], ran: 7 };
  const { root, look } = watching(t, [process]);
  const become = (changes: object) => {
    writeProcess(root, { ...process, ...changes });
  };
  look();
  look(0, { whole: true });
  become({ ran: 8 });
  t.match(look(), { changed: exactly() });
  become({ ran: 8, cmdline: ['/bin/b'] });
  t.match(look(), { changed: exactly(10) }, 'read every time');
  look(0, { whole: true });
  become({ ran: 8, cmdline: ['/bin/c'] });
  t.match(look(), { changed: exactly() }, 'at rest since');
  t.end();
});

t.test('a real process that names itself anew is seen, asleep as it was', async (t) => {
  const program = '$SIG{USR1} = sub { $0 = "another" }; $| = 1; print "ready\\n"; sleep 1000 while 1';
  const { child, pid } = await start(t, 'perl', ['-e', program]);
  const state = () => /^State:\t(.)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  while (state() !== 'S') await delay(1);
  const watch = new ProcessWatch(proc, () => 0);
  t.teardown(() => {
    watch.close();
  });
  lookOnce(watch);
  finish(watch.look(true, undefined));
  t.notOk(lookOnce(watch).changed.has(pid));
  child.kill('SIGUSR1');
  while (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('another')) await delay(1);
  t.ok(lookOnce(watch).changed.has(pid));
});

t.test('processes that there are no descriptors for are new in every look', (t) => {
  const { root, look: lookAt } = watching(t, undefined, 8);
  const look = () => {
    const { changed, gone } = lookAt();
    return { changed, gone };
  };
  t.same(look(), { changed: [1, 10, 999], gone: false });
  t.same(look(), { changed: [999], gone: false }, 'four of eight are enough for two');
  rmSync(join(root, '10'), { recursive: true });
  t.same(look(), { changed: [999], gone: true });
  t.same(look(), { changed: [], gone: false }, 'two that were given back are enough for another');
  t.end();
});

t.test('a newcomer needs descriptors more than those at rest need a third one', (t) => {
  const processes = [1, 10, 999].map((pid) => ({ pid, ppid: 0, cmdline: ['/bin/a'], ran: 7 }));
  // Half of 18: two each for three, and a third one for each.
  const { root, look } = watching(t, processes, 18);
  look();
  t.match(look(0, { whole: true }), { changed: exactly() });
  writeProcess(root, { pid: 11, ppid: 1, cmdline: ['/bin/b'] });
  t.match(look(), { changed: exactly(11) });
  t.match(look(), { changed: exactly() }, 'it is watched');
  writeProcess(root, { ...processes[1]!, cmdline: ['/bin/b'] });
  t.match(look(), { changed: exactly(10) }, 'and the others are read again');
  t.end();
});

t.test('the descriptors are given back', async (t) => {
  const before = openDescriptors();
  const watch = new ProcessWatch(proc, () => 0);
  const child = spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const piped = openDescriptors();
  for (const word of ['new', 'at rest', 'again, for it has run']) {
    child.stdin.write(word);
    await once(child.stdout, 'data');
    finish(watch.look(true, undefined));
  }
  t.ok(openedSince(piped).length > 0);
  lookOnce(watch);
  child.kill('SIGKILL');
  await ended;
  lookOnce(watch);
  watch.close();
  child.stdin.destroy();
  child.stdout.destroy();
  await delay(0);
  t.same(openedSince(before), []);
});

t.test('one whose main thread has exited, and whose others are not seen, is never settled', async (t) => {
  const { pid } = await startMainThreadExited(t);
  const watch = new ProcessWatch(proc, () => 0);
  t.teardown(() => {
    watch.close();
  });
  lookOnce(watch);
  t.ok(lookOnce(watch).changed.has(pid));
  t.ok(lookOnce(watch).changed.has(pid));
});
