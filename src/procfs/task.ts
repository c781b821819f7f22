import { listNumbers, readRecord, type ProcFs } from './fs.ts';
import { parseStat, readStat } from './stat.ts';

const ended = new Set(['Z', 'X', 'x']);

/** The threads that still run in a process whose main thread has exited (state Z, proc_pid_task(5)); empty for every other process. */
export function liveTasks(proc: ProcFs, pid: number): number[] {
  const main = readStat(proc, pid);
  if (main?.state !== 'Z' || main.threads < 2) return [];
  return (listNumbers(proc, `${pid}/task`) ?? []).filter((tid) => {
    if (tid === pid) return false;
    const text = readRecord(proc, `${pid}/task/${tid}/stat`);
    return text !== undefined && text !== '' && !ended.has(parseStat(text).state);
  });
}

/**
 * What `read` finds in the process's directory, or else in a live thread's. A main thread that exits gives up its
 * files, memory and namespaces: the process still serves, and only its other threads still say what it is.
 */
export function readFromLiveTask<T>(
  proc: ProcFs,
  pid: number,
  read: (directory: string) => T | undefined,
): T | undefined {
  const own = read(String(pid));
  if (own !== undefined) return own;
  for (const tid of liveTasks(proc, pid)) {
    const value = read(`${pid}/task/${tid}`);
    if (value !== undefined) return value;
  }
  return undefined;
}
