import { readRecord, type ProcFs } from './fs.ts';
import { readFromLiveTask } from './task.ts';

// An argument list may be several MiB long, and any user may start many such processes: what names a program and
// its script comes first, and the rest must not fill the daemon's memory.
const LIMIT = 128 * 1024;

/** The arguments in /proc/PID/cmdline, proc_pid_cmdline(5); what is not UTF-8 becomes U+FFFD. */
export function parseCmdline(content: Uint8Array | string): string[] {
  const text = typeof content === 'string' ? content : Buffer.from(content).toString('utf8');
  // A title written over the arguments (nginx, postgres) is padded with NUL to their old length: these are no
  // arguments. An empty one in the middle is.
  const end = /\0*$/.exec(text)?.index ?? text.length;
  return end === 0 ? [] : text.slice(0, end).split('\0');
}

/** /proc/PID/cmdline of one process, at most about 128 KiB; `[]` for kernel threads and state Z; gone is `undefined`. */
export function readCmdline(proc: ProcFs, pid: number): string[] | undefined {
  const read = (directory: string): string[] | undefined => {
    const text = readRecord(proc, `${directory}/cmdline`, LIMIT);
    return text === undefined ? undefined : parseCmdline(text);
  };
  const words = readFromLiveTask(proc, pid, (directory) => {
    const found = read(directory);
    return found?.length === 0 ? undefined : found;
  });
  return words ?? read(String(pid));
}
