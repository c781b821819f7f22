import { findInodes } from '../linux/bpf/find-inodes.ts';
import { walkHolders, type Holders } from '../procfs/fd.ts';
import type { ProcFs } from '../procfs/fs.ts';
import type { Steps } from '../procfs/steps.ts';
import { HolderSets } from './holder-sets.ts';
import { isSocket } from './is-socket.ts';

/**
 * Holders of sockets as the kernel itself finds them, in one step. undefined where it does not let itself be asked, and
 * where a socket seems to be nobody's: the search passes by a process that is in the midst of execve(2) by another thread
 * than its main one.
 */
export function* tellHolders(
  proc: ProcFs,
  pids: readonly number[],
  inodes: ReadonlySet<number>,
): Steps<Holders | undefined> {
  const found = findInodes(inodes);
  if (found === undefined) return undefined;
  const listed = new Set(pids);
  const holders = new HolderSets();
  const unsure = new Set<number>();
  for (const { pid, tid, fd, inode } of found) {
    if (!listed.has(pid) || holders.has(inode, pid)) continue;
    const directory = tid === pid ? `${pid}/fd` : `${pid}/task/${tid}/fd`;
    // Only the link says that it is a socket, and not another file system's file of that number. Another link, or none,
    // may be that of a descriptor that was moved meanwhile, or of a thread that became the main one.
    if (isSocket(proc, `${directory}/${fd}`, inode)) holders.add(inode, pid);
    else unsure.add(pid);
  }
  const rest = yield* walkHolders(proc, [...unsure], inodes);
  holders.addAll(rest);
  return holders.haveAll(inodes) ? { holders: holders.sorted(), unreadable: rest.unreadable } : undefined;
}
