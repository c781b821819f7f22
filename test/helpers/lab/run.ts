import { spawn } from 'node:child_process';

export interface Result {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Added to the host's own environment. */
  env?: Record<string, string>;
  /** Runs as this user of the host, with its HOME and XDG_RUNTIME_DIR. */
  user?: string;
  timeoutMs?: number;
}

/**
 * Runs a command to its end and returns what it said. Resolves when the command exits, not when its pipes close: what
 * it left running in the background may hold them. Throws when it could not be started or ran out of time.
 */
export function run(argv: readonly string[], timeoutMs = 60_000): Promise<Result> {
  return new Promise((resolve, reject) => {
    const [command = '', ...args] = argv;
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => (output[stream] += text));
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${argv.join(' ')}: no end after ${timeoutMs} ms\n${output.stdout}${output.stderr}`));
    }, timeoutMs);
    const finish = (code: number | null) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, ...output });
      child.stdout.destroy();
      child.stderr.destroy();
    };
    child.on('error', reject);
    child.on('close', finish);
    // The pipes' last bytes come before 'close' for a command that leaves nothing behind; the others get a moment.
    child.on('exit', (code) => setTimeout(finish, 200, code));
  });
}
