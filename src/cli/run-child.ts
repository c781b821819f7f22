import { spawn } from 'node:child_process';

/** How a command that orphand started ended. */
export type ChildEnd =
  | { kind: 'exit'; code: number }
  | { kind: 'signal'; signal: string }
  /** It could not be started: errno name. */
  | { kind: 'failed'; code: string };

// What a supervisor or a person sends to orphand is meant for what it runs.
const passedOn = ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Runs a command to its end with orphand's own terminal, its standard output where `stdout` says; never rejects. */
export function runChild(argv: readonly string[], stdout: 'inherit' | 'stderr'): Promise<ChildEnd> {
  return new Promise((resolve) => {
    const [program = '', ...args] = argv;
    const child = spawn(program, args, {
      stdio: ['inherit', stdout === 'stderr' ? 2 : 'inherit', 'inherit'],
    });
    const forward = (signal: NodeJS.Signals): void => {
      child.kill(signal);
    };
    // Ctrl-C reaches it by itself, from the terminal; twice it would mean something else to many programs.
    const signals = process.stdin.isTTY ? passedOn : ([...passedOn, 'SIGINT'] as const);
    for (const signal of signals) process.on(signal, forward);
    const end = (result: ChildEnd): void => {
      for (const signal of signals) process.off(signal, forward);
      resolve(result);
    };
    child.on('error', (error: NodeJS.ErrnoException) => {
      end({ kind: 'failed', code: error.code ?? error.message });
    });
    child.on('exit', (code, signal) => {
      end(code === null ? { kind: 'signal', signal: signal ?? '?' } : { kind: 'exit', code });
    });
  });
}

/** What went wrong, in words; undefined where nothing did. */
export function childFailure(end: ChildEnd): string | undefined {
  switch (end.kind) {
    case 'exit':
      return end.code === 0 ? undefined : `failed with exit code ${end.code}`;
    case 'signal':
      return `was ended by ${end.signal}`;
    case 'failed':
      if (end.code === 'ENOENT') return 'could not be started: no such program';
      if (end.code === 'EACCES') return 'could not be started: it may not be executed';
      return `could not be started (${end.code})`;
  }
}
