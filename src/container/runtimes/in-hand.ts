import { readCmdline } from '../../procfs/cmdline.ts';
import type { ProcFs } from '../../procfs/fs.ts';
import { listPids } from '../../procfs/pids.ts';
import { readStat } from '../../procfs/stat.ts';
import { hasEnded } from '../ended.ts';
import { optionValue } from '../program.ts';
import { quietly } from '../quietly.ts';

/**
 * Ids of the containers that have ended and that podman is not done with: `podman container cleanup`, from which a restart
 * policy starts them again, is at work or about to be. conmon(8) starts it and waits for it; until then it has no child.
 * Arguments are anybody's to write: good for waiting, no proof of anything.
 */
export function inPodmansHand(proc: ProcFs): Set<string> {
  const found = new Set<string>();
  const conmons = new Map<number, string | undefined>();
  const parents = new Set<number>();
  for (const pid of listPids(proc)) {
    const stat = quietly(() => readStat(proc, pid));
    if (stat === undefined || hasEnded(stat)) continue;
    parents.add(stat.ppid);
    const [program = '', ...args] = quietly(() => readCmdline(proc, pid)) ?? [];
    if (/(?:^|\/)conmon$/.test(program)) conmons.set(pid, optionValue(args, ['-c', '--cid']));
    else if (args.includes('cleanup')) for (const id of args.filter(isId)) found.add(id);
  }
  for (const [pid, id] of conmons) if (id !== undefined && !parents.has(pid)) found.add(id);
  return found;
}

function isId(word: string): boolean {
  return /^[0-9a-f]{64}$/.test(word);
}
