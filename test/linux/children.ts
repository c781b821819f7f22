import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';

/** The C library, for what a test does itself: another process's side, a limit, a socket to receive on. */
export const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');

export interface Child {
  process: ChildProcess;
  pid: number;
  /** Settles when it has ended and was reaped. */
  ended: Promise<unknown>;
}

/** Starts a program without waiting for anything; ends it, by its own handle, with the test. */
export async function run(
  t: Test,
  program: string,
  args: string[],
  options: { uid?: number } = {},
): Promise<Child> {
  const child = spawn(program, args, { ...options, stdio: 'ignore', env: { PATH: process.env['PATH'] } });
  const ended = once(child, 'exit');
  t.teardown(() => {
    child.kill('SIGKILL');
    return ended;
  });
  await once(child, 'spawn');
  return { process: child, pid: child.pid!, ended };
}

/** Starts a script (CommonJS) with node, as another user where `uid` says so, and waits for its first line. */
export async function runNode(
  t: Test,
  script: string,
  options: { uid?: number; gid?: number } = {},
): Promise<Child & { line: string }> {
  const child = spawn(process.execPath, ['-e', script], {
    ...options,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  t.teardown(() => {
    child.kill('SIGKILL');
    return ended;
  });
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(() => Promise.reject(new Error('ended before it was ready'))),
  ])) as [string];
  return { process: child, pid: child.pid!, ended, line };
}
