import {
  canCompareOpenFiles,
  findOpenFiles,
  isOpen,
  sortByOpenFile,
  type Descriptor,
} from '../linux/kcmp.ts';
import { findInodes } from '../linux/bpf/find-sockets.ts';
import type { Unreadable } from '../model.ts';
import { walkHolders, type Holders } from '../procfs/fd.ts';
import { countNames, readLink, readRecord, UnreadableError, type ProcFs } from '../procfs/fs.ts';
import { finish, type Steps } from '../procfs/steps.ts';

/** A descriptor of a wanted socket: what the others are compared with. */
interface Sample extends Descriptor {
  inode: number;
}

/** Below this many descriptors, loading koffi and finding samples takes longer than it saves. */
const WORTHWHILE = 3_000;
/** From this many on the kernel is asked for all at once: a program for it is not loaded where that saves a few milliseconds. */
const LARGE = 20_000;
/** What a process has open, where the kernel does not count it (before 6.2): enough to find out when processes are many. */
const UNCOUNTED = 64;
/** A server opens what it listens on when it starts: its descriptor has a low number. */
const SAMPLE_DEPTHS = [16, 64, 256];
/** A descriptor takes one comparison with up to 1 sample, two with 3, three with 7; a link is read in the time of five. */
const MOST_SAMPLES = 31;

/**
 * Finds the holders of sockets among many descriptors: one holder of each by its link, and whoever else has the very same
 * open file by comparing, in a fifth of the time. Answers what walkHolders does, which it falls back on. Among very many
 * the kernel finds them itself, where it may be asked.
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
  const told =
    atOnce && countDescriptors(proc, pids, LARGE) >= LARGE ? askKernel(proc, pids, inodes) : undefined;
  if (told !== undefined) return told;
  const slowly = (): Steps<Holders> => walkHolders(proc, pids, inodes);
  if (inodes.size > MOST_SAMPLES || countDescriptors(proc, pids, WORTHWHILE) < WORTHWHILE)
    return yield* slowly();
  if (!isOwnNamespace(proc) || !canCompareOpenFiles()) return yield* slowly();
  const samples = yield* findSamples(proc, pids, inodes);
  if (samples === undefined) return yield* slowly();

  const holders = new Map<number, number[]>();
  const unsure: number[] = [];
  const hold = (inode: number, pid: number): void => {
    holders.set(
      inode,
      [...(holders.get(inode) ?? []), pid].sort((a, b) => a - b),
    );
  };
  for (const pid of pids) {
    yield;
    const found = yield* findOpenFiles(samples, pid);
    if (found === undefined) unsure.push(pid);
    else for (const { inode } of found) hold(inode, pid);
  }
  // A sample that was closed meanwhile compares with nothing.
  if (!samples.every((sample) => linkOf(proc, sample) === linkTo(sample.inode))) return yield* slowly();
  const rest = yield* walkHolders(proc, unsure, inodes);
  for (const [inode, more] of rest.holders) for (const pid of more) hold(inode, pid);
  return { holders, unreadable: rest.unreadable };
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

/** undefined where the kernel does not let itself be asked. */
function askKernel(proc: ProcFs, pids: readonly number[], inodes: ReadonlySet<number>): Holders | undefined {
  const found = isOwnNamespace(proc) ? findInodes(inodes) : undefined;
  if (found === undefined) return undefined;
  const listed = new Set(pids);
  const holders = new Map<number, Set<number>>();
  const unreadable = new Map<number, Unreadable>();
  for (const { pid, tid, fd, inode } of found) {
    if (!listed.has(pid)) continue;
    const directory = tid === pid ? `${pid}/fd` : `${pid}/task/${tid}/fd`;
    try {
      // Only the link says that it is a socket, and not another file system's file of that number.
      if (readLink(proc, `${directory}/${fd}`) !== linkTo(inode)) continue;
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
      unreadable.set(pid, { pid, file: `${proc.root}/${directory}`, code: error.code });
      continue;
    }
    holders.set(inode, (holders.get(inode) ?? new Set()).add(pid));
  }
  return {
    holders: new Map([...holders].map(([inode, found]) => [inode, [...found].sort((a, b) => a - b)])),
    unreadable: [...unreadable.values()],
  };
}

/** kcmp(2) and the kernel's own search take pids of this process's own namespace, which need not be the one that procfs shows. */
function isOwnNamespace(proc: ProcFs): boolean {
  const line = `\nNSpid:\t${process.pid}\n`;
  return readRecord(proc, 'self/status')?.includes(line) === true;
}

/** One descriptor for each inode, in the kernel's order of open files; undefined where one has none with a low number. */
function* findSamples(
  proc: ProcFs,
  pids: readonly number[],
  inodes: ReadonlySet<number>,
): Steps<Sample[] | undefined> {
  const missing = new Map([...inodes].map((inode) => [linkTo(inode), inode]));
  const samples: Sample[] = [];
  let from = 0;
  for (const depth of SAMPLE_DEPTHS) {
    // The youngest first: the host's own processes started before whatever is deployed on it.
    for (const pid of [...pids].reverse()) {
      yield;
      for (let fd = from; fd < depth && missing.size > 0; fd++) {
        const link = linkOf(proc, { pid, fd });
        const inode = missing.get(link ?? '');
        if (link === undefined || inode === undefined) continue;
        missing.delete(link);
        samples.push({ pid, fd, inode });
      }
    }
    if (missing.size === 0) return sortByOpenFile(samples);
    from = depth;
  }
  return undefined;
}

function linkTo(inode: number): string {
  return `socket:[${inode}]`;
}

function linkOf(proc: ProcFs, { pid, fd }: Descriptor): string | undefined {
  // Asked first: node takes 10 µs to say that there is no such link.
  if (!isOpen({ pid, fd })) return undefined;
  try {
    return readLink(proc, `${pid}/fd/${fd}`);
  } catch (error) {
    if (error instanceof UnreadableError) return undefined;
    throw error;
  }
}
