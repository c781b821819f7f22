import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ExitWatch } from '../../src/linux/exit-watch.ts';
import { run } from './children.ts';
import { notProcesses } from './not-processes.ts';
import { openDescriptors, openedSince } from '../helpers/descriptors.ts';
import { until } from '../helpers/lab/wait.ts';

/** A watch, the pids whose exit it told of, and a wait for one more. */
function watch(t: Test) {
  const exited: number[] = [];
  let wake: (() => void) | undefined;
  const watched = new ExitWatch((pid) => {
    exited.push(pid);
    wake?.();
  });
  t.teardown(() => {
    watched.close();
  });
  const next = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });
  return { watched, exited, next };
}

const sleeper = (each: Test) => run(each, 'sleep', ['1000']);

t.test('the exit of one of several processes is told, and only that one', async (t) => {
  const { watched, exited, next } = watch(t);
  const children = [await sleeper(t), await sleeper(t), await sleeper(t)];
  for (const { pid } of children) t.ok(watched.add(pid));
  const told = next();
  children[1]!.process.kill('SIGKILL');
  await told;
  t.same(exited, [children[1]!.pid]);
  t.same(watched.pids(), [children[0]!.pid, children[2]!.pid]);
});

t.test('a process that is added while others are waited for is watched too', async (t) => {
  const { watched, exited, next } = watch(t);
  t.ok(watched.add((await sleeper(t)).pid));
  await turn();
  const later = await sleeper(t);
  t.ok(watched.add(later.pid));
  const told = next();
  later.process.kill('SIGKILL');
  await told;
  t.same(exited, [later.pid]);
});

t.test('what has exited is told of once and not watched any more', async (t) => {
  const { watched, exited, next } = watch(t);
  const child = await sleeper(t);
  t.ok(watched.add(child.pid));
  const told = next();
  child.process.kill('SIGKILL');
  await told;
  t.same(exited, [child.pid]);
  t.same(watched.pids(), [], 'and is not watched any more');
});

t.test('what was removed is not told of', async (t) => {
  const { watched, exited, next } = watch(t);
  const [removed, kept] = [await sleeper(t), await sleeper(t)];
  watched.add(removed.pid);
  watched.add(kept.pid);
  await turn();
  watched.remove(removed.pid);
  removed.process.kill('SIGKILL');
  await removed.ended;
  const told = next();
  kept.process.kill('SIGKILL');
  await told;
  t.same(exited, [kept.pid]);
});

t.test('what is removed after its death but before that is told is not told of', async (t) => {
  const { watched, exited, next } = watch(t);
  const [removed, kept] = [await sleeper(t), await sleeper(t)];
  watched.add(removed.pid);
  watched.add(kept.pid);
  // poll(2) begins again for the second, and waits by then.
  await delay(50);
  removed.process.kill('SIGKILL');
  // Blocks this thread, so that poll(2) has returned in the other one and nobody has heard of it.
  execFileSync('sleep', ['0.1']);
  watched.remove(removed.pid);
  const told = next();
  kept.process.kill('SIGKILL');
  await told;
  t.same(exited, [kept.pid]);
});

t.test('the descriptor of what is removed is given back while others are watched', async (t) => {
  const { watched } = watch(t);
  const [removed, kept] = [await sleeper(t), await sleeper(t)];
  watched.add(kept.pid);
  await turn();
  const before = openDescriptors();
  watched.add(removed.pid);
  await turn();
  watched.remove(removed.pid);
  t.ok(await until('it to be closed', () => openedSince(before).length === 0));
});

for (const [name, pid] of notProcesses) {
  t.test(`${name} is not watched`, (t) => {
    const { watched } = watch(t);
    const before = openDescriptors();
    t.equal(watched.add(pid), false);
    t.same(watched.pids(), []);
    t.same(openedSince(before), [], 'and nothing was opened');
    t.end();
  });
}

t.test('every descriptor is given back when the watch is closed', async (t) => {
  const child = await sleeper(t);
  const before = openDescriptors();
  const watched = new ExitWatch(() => undefined);
  watched.add(child.pid);
  t.ok(openedSince(before).length > 0);
  await turn();
  watched.close();
  t.equal(watched.add(child.pid), false, 'it takes nothing any more');
  t.ok(await until('all to be closed', () => openedSince(before).length === 0));
});

for (const [name, end, code] of [
  ['process.exit', 'process.exit(7)', 7],
  ['an uncaught error', "throw new Error('expected')", 1],
] as const) {
  t.test(`${name} ends the process while it waits`, async (t) => {
    const module = JSON.stringify(new URL('../../src/linux/exit-watch.ts', import.meta.url).href);
    const script = `import { ExitWatch } from ${module};
      new ExitWatch(() => undefined).add(process.ppid);
      setTimeout(() => { ${end} }, 100);`;
    // The loader that runs this file.
    const loaders = process.execArgv.filter((flag) => flag.startsWith('--import='));
    const child = spawn(process.execPath, [...loaders, '--input-type=module', '-e', script], {
      stdio: 'ignore',
    });
    t.teardown(() => child.kill('SIGKILL'));
    t.same(await once(child, 'exit'), [code, null]);
  });
}
