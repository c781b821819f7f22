import type { Unreadable } from '../model.ts';
import { MalformedError, readLink, UnreadableError, walkNames, type ProcFs } from './fs.ts';
import { finish, type Steps } from './steps.ts';
import { liveTasks } from './task.ts';

/** Which processes hold which sockets, and where nobody could look. */
export interface Holders {
  /** Socket inode to pids, ascending; an inode that nobody holds has no entry. */
  holders: Map<number, number[]>;
  unreadable: Unreadable[];
}

/** What the link of a socket's descriptor says, proc_pid_fd(5). */
export function socketLink(inode: number): string {
  return `socket:[${inode}]`;
}

/** So many links are read between two turns: 0.2 ms. */
const LINKS_AT_ONCE = 64;

/** Looks through the file descriptors of `pids` (proc_pid_fd(5)) for sockets with one of these inodes; what goes away meanwhile holds nothing. */
export function findHolders(proc: ProcFs, pids: readonly number[], inodes: ReadonlySet<number>): Holders {
  return finish(walkHolders(proc, pids, inodes));
}

/** The same in steps. */
export function* walkHolders(
  proc: ProcFs,
  pids: readonly number[],
  inodes: ReadonlySet<number>,
): Steps<Holders> {
  const holders = new Map<number, number[]>();
  const unreadable: Unreadable[] = [];
  // The link's text is compared as it is: a host has many descriptors, and nearly none of them is wanted.
  const wanted = new Map([...inodes].map((inode) => [socketLink(inode), inode]));

  for (const pid of pids) {
    const held = new Set<number>();
    try {
      const descriptors = yield* walk(proc, `${pid}/fd`, wanted, held);
      // None at all: perhaps the main thread has exited and closed its table while other threads still serve.
      const tasks = descriptors === 0 ? liveTasks(proc, pid) : [];
      for (const tid of tasks) yield* walk(proc, `${pid}/task/${tid}/fd`, wanted, held);
    } catch (error) {
      unreadable.push({ pid, ...whyUnreadable(error) });
    }
    for (const inode of held) holders.set(inode, [...(holders.get(inode) ?? []), pid]);
  }
  return { holders, unreadable };
}

function* walk(proc: ProcFs, path: string, wanted: Map<string, number>, held: Set<number>): Steps<number> {
  const names = (yield* walkNames(proc, path)) ?? [];
  yield;
  for (const [index, name] of names.entries()) {
    if (index % LINKS_AT_ONCE === LINKS_AT_ONCE - 1) yield;
    const inode = wanted.get(readLink(proc, `${path}/${name}`) ?? '');
    if (inode !== undefined) held.add(inode);
  }
  return names.length;
}

function whyUnreadable(error: unknown): { file: string; code: string } {
  // Links that may not be read are one fact about the directory, not another one for each number.
  if (error instanceof UnreadableError) {
    return { file: error.file.replace(/\/fd\/\d+$/, '/fd'), code: error.code };
  }
  if (error instanceof MalformedError) return { file: error.file, code: 'EBADMSG' };
  throw error;
}
