import type { DeadTree } from './dead-tree.ts';
import { adoptForks } from './forks.ts';
import type { Member } from './member.ts';

// Each pass finds one generation more at most; a tree that is not still by then gets its SIGKILL moving.
const MAX_PASSES = 20;
const PAUSE_MS = 2;

/**
 * Stops every member with SIGSTOP, and takes in what it forked until nothing new appears: a process that is stopped
 * forks no more, and one that was not yet found would be out of reach when its parent is gone. SIGKILL ends stopped ones.
 */
export async function stopForking(tree: DeadTree, onAdopt: (adopted: Member[]) => void): Promise<void> {
  // Twice: the state in stat is the main thread's, another thread may still be on its way out of fork(2).
  for (let pass = 0, still = 0; pass < MAX_PASSES && still < 2; pass += 1) {
    for (const member of tree.alive()) if (!member.stopped) tree.send(member, 'SIGSTOP');
    const { adopted, settled } = adoptForks(tree);
    if (adopted.length > 0) onAdopt(adopted);
    still = settled ? still + 1 : 0;
    if (still < 2) await tree.clock.sleep(PAUSE_MS);
  }
}
