import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { seteuid } from '../helpers/effective-ids.ts';

export interface Started {
  child: ChildProcess;
  pid: number;
  /** The first line that it wrote. */
  line: string;
}

/** Starts a program that writes a line when it is ready; ends it, by its own handle, with the test. */
export async function start(
  t: Test,
  program: string,
  args: string[],
  options: { uid?: number; argv0?: string } = {},
): Promise<Started> {
  // Without tap's loader and coverage: its own environment is not the child's.
  const env = { PATH: process.env['PATH'] };
  const child = spawn(program, args, { ...options, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  t.teardown(() => {
    if (child.exitCode !== null || child.signalCode !== null) return undefined;
    child.kill('SIGKILL');
    return exited;
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      reject(new Error(`ended before it was ready: ${code ?? signal ?? ''}`));
    });
    createInterface(child.stdout).once('line', resolve);
  });
  if (child.pid === undefined) throw new Error('has no pid');
  return { child, pid: child.pid, line };
}

/** Starts a script (CommonJS) with node. */
export function startNode(t: Test, script: string, options?: { uid?: number }): Promise<Started> {
  return start(t, process.execPath, ['-e', script], options);
}

/** A process whose main thread has exited (state Z) while a worker of it listens; `line` is the port. */
export function startMainThreadExited(t: Test): Promise<Started> {
  return startNode(
    t,
    `const { Worker } = require('node:worker_threads');
    const koffi = require('koffi');
    const exit = koffi.load(null).func('long syscall(long, long)');
    const flag = new Int32Array(new SharedArrayBuffer(4));
    new Worker(\`
      const { workerData } = require('node:worker_threads');
      const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
        Atomics.store(workerData, 0, 1);
        Atomics.notify(workerData, 0);
        // Not through console: that needs the main thread, which has exited by then.
        const fs = require('node:fs');
        const wait = setInterval(() => {
          const main = fs.readFileSync('/proc/' + process.pid + '/stat', 'utf8');
          if (!main.includes(') Z ')) return;
          clearInterval(wait);
          fs.writeSync(1, server.address().port + '\\\\n');
        }, 2);
      });
    \`, { eval: true, workerData: flag, stdout: true });
    setTimeout(() => {
      Atomics.wait(flag, 0, 0);
      exit(process.arch === 'arm64' ? 93 : 60, 0);
    }, 300);`,
  );
}

/** Runs `act` with another effective user, without root's capabilities. */
export function asNobody<T>(act: () => T): T {
  seteuid(65534);
  try {
    return act();
  } finally {
    seteuid(0);
  }
}
