import { walkHolders, type Holders } from '../procfs/fd.ts';
import { countNames, readRecord, type ProcFs } from '../procfs/fs.ts';
import { finish, type Steps } from '../procfs/steps.ts';
import { compareHolders } from './compare-holders.ts';
import { tellHolders } from './tell-holders.ts';

/** Below this many descriptors, loading koffi and finding what to compare with takes longer than it saves. */
const WORTHWHILE = 3_000;
/** From this many on the kernel is asked for all at once: a program for it is not loaded where that saves a few milliseconds. */
const LARGE = 20_000;
/** What a process has open, where the kernel does not count it (before 6.2): enough to find out when processes are many. */
const UNCOUNTED = 64;

/**
 * Finds the holders of sockets among many descriptors: by comparing open files, in a fifth of the time that it takes to read
 * their links, and among very many by the kernel's own search. What these can not tell is found by its links, as walkHolders
 * finds everything.
 */
export function findHoldersFast(proc: ProcFs, pids: readonly number[], inodes: ReadonlySet<number>): Holders {
  return finish(walkHoldersFast(proc, pids, inodes, { atOnce: true }));
}

/** The same in steps; only with `atOnce` may one of them be the kernel's own search, which keeps the event loop until it has ended. */
export function* walkHoldersFast(
  proc: ProcFs,
  pids: readonly number[],
  inodes: ReadonlySet<number>,
  { atOnce = false } = {},
): Steps<Holders> {
  const count = countDescriptors(proc, pids, atOnce ? LARGE : WORTHWHILE);
  if (count < WORTHWHILE || !isOwnNamespace(proc)) return yield* walkHolders(proc, pids, inodes);
  return (
    (atOnce && count >= LARGE ? yield* tellHolders(proc, pids, inodes) : undefined) ??
    (yield* compareHolders(proc, pids, inodes)) ??
    (yield* walkHolders(proc, pids, inodes))
  );
}

/** As many as there are, or `enough`. */
function countDescriptors(proc: ProcFs, pids: readonly number[], enough: number): number {
  let descriptors = 0;
  for (const pid of pids) {
    descriptors += countNames(proc, `${pid}/fd`) || UNCOUNTED;
    if (descriptors >= enough) break;
  }
  return descriptors;
}

/** kcmp(2) and the kernel's own search take pids of this process's own namespace, which need not be the one that procfs shows. */
function isOwnNamespace(proc: ProcFs): boolean {
  const line = `\nNSpid:\t${process.pid}\n`;
  return readRecord(proc, 'self/status')?.includes(line) === true;
}
