import { quietly } from '../container/quietly.ts';
import {
  canCompareOpenFiles,
  findOpenFiles,
  isOpen,
  sortByOpenFile,
  type Descriptor,
} from '../linux/kcmp.ts';
import { socketLink, walkHolders, type Holders } from '../procfs/fd.ts';
import { readLink, type ProcFs } from '../procfs/fs.ts';
import type { Steps } from '../procfs/steps.ts';
import { HolderSets } from './holder-sets.ts';
import { isSocket } from './is-socket.ts';

/** A descriptor of a wanted socket: what the others are compared with. */
interface Sample extends Descriptor {
  inode: number;
}

/** A server opens what it listens on when it starts: its descriptor has a low number. */
const SAMPLE_DEPTHS = [16, 64, 256];
/** A descriptor takes one comparison with up to 1 sample, two with 3, three with 7; a link is read in the time of five. */
const MOST_SAMPLES = 31;

/**
 * Holders of sockets: one of each by its link, and whoever else has the very same open file by comparing. undefined where
 * files can't be compared, or no holder has a low number.
 */
export function* compareHolders(
  proc: ProcFs,
  pids: readonly number[],
  inodes: ReadonlySet<number>,
): Steps<Holders | undefined> {
  if (inodes.size > MOST_SAMPLES || !canCompareOpenFiles()) return undefined;
  const samples = yield* findSamples(proc, pids, inodes);
  if (samples === undefined) return undefined;

  const holders = new HolderSets();
  const unsure: number[] = [];
  for (const pid of pids) {
    yield;
    const found = yield* findOpenFiles(samples, pid);
    if (found === undefined) unsure.push(pid);
    else for (const { inode } of found) holders.add(inode, pid);
  }
  // A sample that was closed meanwhile compares with nothing.
  if (!samples.every(({ pid, fd, inode }) => isSocket(proc, `${pid}/fd/${fd}`, inode))) return undefined;
  const rest = yield* walkHolders(proc, unsure, inodes);
  holders.addAll(rest);
  return { holders: holders.sorted(), unreadable: rest.unreadable };
}

/** One descriptor for each inode, in the kernel's order of open files; undefined where one has none with a low number. */
function* findSamples(
  proc: ProcFs,
  pids: readonly number[],
  inodes: ReadonlySet<number>,
): Steps<Sample[] | undefined> {
  const missing = new Map([...inodes].map((inode) => [socketLink(inode), inode]));
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

function linkOf(proc: ProcFs, { pid, fd }: Descriptor): string | undefined {
  // Asked first: node takes 10 µs to say that there is no such link.
  return isOpen({ pid, fd }) ? quietly(() => readLink(proc, `${pid}/fd/${fd}`)) : undefined;
}
