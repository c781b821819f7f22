import { readBytes, type ProcFs } from './fs.ts';
import { readFromLiveTask } from './task.ts';

// As with the command line: its owner chooses how long it is.
const LIMIT = 256 * 1024;

/** Reads `NAME=value` pairs that end in NUL; of a name that occurs twice the first counts, as in getenv(3). */
export function parseEnviron(content: Uint8Array | string): Map<string, string> {
  const text = typeof content === 'string' ? content : Buffer.from(content).toString('utf8');
  const environ = new Map<string, string>();
  for (const entry of text.split('\0')) {
    const equals = entry.indexOf('=');
    const name = entry.slice(0, equals);
    if (equals > 0 && !environ.has(name)) environ.set(name, entry.slice(equals + 1));
  }
  return environ;
}

/** The environment that a process was started with, proc_pid_environ(5), at most about 256 KiB; gone is `undefined`. */
export function readEnviron(proc: ProcFs, pid: number): Map<string, string> | undefined {
  const read = (directory: string): Map<string, string> | undefined => {
    const bytes = readBytes(proc, `${directory}/environ`, LIMIT);
    return bytes === undefined ? undefined : parseEnviron(bytes);
  };
  const environ = readFromLiveTask(proc, pid, (directory) => {
    const found = read(directory);
    return found?.size === 0 ? undefined : found;
  });
  return environ ?? read(String(pid));
}
