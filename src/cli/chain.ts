import { readBootTime, startedAt } from '../procfs/boot.ts';
import { readCmdline } from '../procfs/cmdline.ts';
import type { ProcFs } from '../procfs/fs.ts';
import { readStat } from '../procfs/stat.ts';

/** One process on the way from pid 1 to the one that is explained. */
export interface Link {
  pid: number;
  comm: string;
  /** RFC 3339, UTC. */
  startedAt: string;
  cmdline: string[];
}

/** The processes from pid 1 down to `pid`, as /proc has them now; empty where `pid` is gone. Throws UnreadableError. */
export function chainTo(proc: ProcFs, pid: number): Link[] {
  const bootTime = readBootTime(proc);
  const links: Link[] = [];
  const seen = new Set<number>();
  // Parents change while they are read: a pid that comes again ends the walk.
  for (let next = pid; next > 0 && !seen.has(next);) {
    seen.add(next);
    const stat = readStat(proc, next);
    if (stat === undefined) break;
    links.unshift({
      pid: next,
      comm: stat.comm,
      startedAt: startedAt(bootTime, stat.startTime),
      cmdline: readCmdline(proc, next) ?? [],
    });
    next = stat.ppid;
  }
  return links;
}
