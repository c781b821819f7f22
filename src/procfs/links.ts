import { readLink, type ProcFs } from './fs.ts';
import { readFromLiveTask } from './task.ts';

/** The program's file, proc_pid_exe(5), without the ` (deleted)` of one that was replaced; gone or a kernel thread is `undefined`. */
export function readExe(proc: ProcFs, pid: number): string | undefined {
  // A conmon whose package was upgraded is the same conmon.
  return readFromLiveTask(proc, pid, (directory) => readLink(proc, `${directory}/exe`))?.replace(
    / \(deleted\)$/,
    '',
  );
}

/** The process's root directory, proc_pid_root(5): `/` unless it called chroot(2); gone is `undefined`. */
export function readRootLink(proc: ProcFs, pid: number): string | undefined {
  return readFromLiveTask(proc, pid, (directory) => readLink(proc, `${directory}/root`));
}

/** A namespace as the kernel names it, `net:[4026531840]`, proc_pid_ns(5); gone is `undefined`. */
export function readNamespace(
  proc: ProcFs,
  pid: number,
  kind: 'mnt' | 'pid' | 'net' | 'user',
): string | undefined {
  return readFromLiveTask(proc, pid, (directory) => readLink(proc, `${directory}/ns/${kind}`));
}
