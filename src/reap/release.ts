import type { Report } from '../model.ts';
import type { DeadTree } from './dead-tree.ts';
import type { CleanupDeps } from './deps.ts';
import type { Member } from './member.ts';
import { containerKey } from './plan.ts';

/**
 * Asks the runtime first where it still lists the container of a suspect, so that its record is left clean; then looks
 * again: what is not as bad any more is left alone. Nothing to ask, nothing done.
 */
export async function releaseContainers(
  tree: DeadTree,
  { release, onProgress }: Pick<CleanupDeps, 'release' | 'onProgress'>,
  look: () => Promise<Report>,
): Promise<void> {
  const listed = tree.alive().filter(({ target }) => target.reason === 'supervisor-dead');
  if (release === undefined || listed.length === 0) return;
  for (const members of byContainer(listed)) {
    const target = members[0].target;
    try {
      const steps = await release(target);
      for (const member of members) member.steps.push(...steps);
      onProgress?.({ kind: 'released', target, steps: steps.map(({ signal }) => signal), error: null });
    } catch (error) {
      // A runtime that fails leaves the processes to us.
      const said = error instanceof Error ? error.message : String(error);
      onProgress?.({ kind: 'released', target, steps: [], error: said });
    }
  }
  tree.judge(await look());
}

function byContainer(members: Member[]): [Member, ...Member[]][] {
  const groups = new Map<string, [Member, ...Member[]]>();
  for (const member of members) {
    const key = containerKey(member.target.container) ?? `pid ${member.pid}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [member]);
    else group.push(member);
  }
  return [...groups.values()];
}
