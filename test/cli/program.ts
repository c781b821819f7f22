import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** What a run of the built program left. */
export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A run that goes on. */
export interface Running {
  child: ChildProcessByStdio<null, Readable, Readable>;
  /** What it has written so far. */
  output: { stdout: string; stderr: string };
  ended: Promise<Result>;
}

const bin = fileURLToPath(new URL('../../dist/bin.js', import.meta.url));

/** Starts the built program (npm test builds it first) with an environment that says nothing of orphand. */
export function start(args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [bin, ...args], {
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => (output[stream] += text));
  }
  const ended = new Promise<Result>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, ...output });
    });
  });
  return { child, output, ended };
}

/** Runs the built program to its end. */
export function run(args: readonly string[], env?: Record<string, string>): Promise<Result> {
  return start(args, env).ended;
}
