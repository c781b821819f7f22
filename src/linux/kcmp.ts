import { libc } from './libc.ts';

/** One descriptor of one process. */
export interface Descriptor {
  readonly pid: number;
  readonly fd: number;
}

// The call's number differs by architecture; elsewhere there is the slower way.
const NUMBERS: Partial<Record<NodeJS.Architecture, number>> = { x64: 312, arm64: 272, riscv64: 272 };
const NUMBER = NUMBERS[process.arch];
const KCMP_FILE = 0;
const SAME = 0;
/** The known file comes before the other one, in an order that lasts as long as both are open. */
const BEFORE = 1;
/** So many closed numbers in a row are compared before the directory is asked for the next open one, which takes the time of 10 to 20. */
const MOST_CLOSED = 12;
/** So many numbers are looked at between two turns of others: half a millisecond for one known file, where system calls are slow. */
const AT_ONCE = 256;

/** Whether open files can be compared here: not under seccomp that forbids it, nor on a kernel without it, nor without koffi. */
export function canCompareOpenFiles(): boolean {
  try {
    return isOpen({ pid: process.pid, fd: 0 }) && nextOpen(process.pid, 2)?.[0] === 2;
  } catch {
    // koffi has no build for this platform.
    return false;
  }
}

/** Whether a process has something open under a number and lets itself be asked, by comparing that with itself. */
export function isOpen({ pid, fd }: Descriptor): boolean {
  return NUMBER !== undefined && libc().kcmp(NUMBER, pid, pid, KCMP_FILE, fd, fd) === SAME;
}

/** Sorts descriptors by the order of their open files, kcmp(2), which `findOpenFiles` needs. */
export function sortByOpenFile<T extends Descriptor>(descriptors: T[]): T[] {
  return descriptors.sort((a, b) =>
    libc().kcmp(NUMBER ?? 0, a.pid, b.pid, KCMP_FILE, a.fd, b.fd) === BEFORE ? -1 : 1,
  );
}

/**
 * Which of the known open files a process has, too: a comparison takes 0.5 µs, where readlink(2) takes 3 µs to name a
 * socket. undefined where that can't be told: the kernel will not say (EPERM), or there is nothing open at all, as in a
 * process that has gone. A known descriptor that was closed meanwhile is found nowhere: check afterwards that it was not.
 */
export function* findOpenFiles<T extends Descriptor>(
  known: readonly T[],
  pid: number,
): Generator<void, Set<T> | undefined, void> {
  const { kcmp, errno } = libc();
  const found = new Set<T>();
  let open = 0;
  let closed = 0;
  let last = Infinity;
  let asked = 0;
  for (let fd = 0; fd <= last; fd++) {
    if (++asked % AT_ONCE === 0) yield;
    let low = 0;
    let high = known.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const file = known[middle] as T;
      const order = kcmp(NUMBER ?? 0, file.pid, pid, KCMP_FILE, file.fd, fd);
      if (order === SAME) found.add(file);
      closed = order < 0 ? closed + 1 : 0;
      if (order <= SAME) break;
      if (order === BEFORE) low = middle + 1;
      else high = middle - 1;
    }
    if (closed === 0) open++;
    if (closed === 0 || (closed < MOST_CLOSED && fd < last)) continue;
    // Nothing is open there (EBADF), or the kernel will not say: to ask for each would take half as long again.
    const next = errno() === 'EBADF' ? nextOpen(pid, fd + 1) : undefined;
    if (next === undefined) return undefined;
    const [nearest = Infinity, another] = next;
    if (nearest === Infinity) break;
    last = another === undefined ? nearest : Infinity;
    fd = nearest - 1;
    closed = 0;
    // The kernel has listed up to 1,300 numbers for these two.
    yield;
  }
  return open === 0 ? undefined : found;
}

/**
 * The two lowest numbers from `fd` on that a process has something open under, fewer where there are no more; undefined
 * where it may not be looked at. A number's place in /proc/PID/fd is the number plus 2 (proc_readfd_common in fs/proc/fd.c).
 */
function nextOpen(pid: number, fd: number): number[] | undefined {
  const { opendir, seekdir, readdir, closedir } = libc();
  const directory = opendir(`/proc/${pid}/fd`);
  if (directory === null) return undefined;
  seekdir(directory, fd + 2);
  const names = [readdir(directory), readdir(directory)];
  closedir(directory);
  return names.filter((name) => name !== undefined).map(Number);
}
