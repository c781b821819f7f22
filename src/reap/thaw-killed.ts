import { dirname } from 'node:path';
import { quietly } from '../container/quietly.ts';
import { readCgroup } from '../procfs/cgroup.ts';
import { readMountinfo } from '../procfs/mountinfo.ts';
import { isThawed, thaw } from './cgroup-freezer.ts';
import { cgroupMembers, freezerOf } from './container-cgroup.ts';
import type { DeadTree } from './dead-tree.ts';
import { wasKilled } from './member.ts';

/**
 * Lets a SIGKILL through to members that a v1 freezer holds: what is frozen there, as a paused container is, exits only
 * once it is thawed (freezer-subsystem.txt; cgroup v2 delivers it at once). Only cgroups in which every process is a
 * member that was sent its SIGKILL are thawed, so that nothing runs on.
 */
export function thawKilled(tree: DeadTree): void {
  const killed = tree.alive().filter(wasKilled);
  if (killed.length === 0) return;
  const mounts = readMountinfo(tree.proc, process.pid) ?? [];
  const seen = new Set<string>();
  for (const { pid } of killed) {
    // Where it is now: somebody may have moved it since it became a member.
    const freezer = freezerOf(quietly(() => readCgroup(tree.proc, pid)) ?? '', mounts);
    if (freezer === undefined) continue;
    // Upwards, because what is above it holds it too; no level further than all of it is ours.
    for (let directory = freezer.directory; directory !== freezer.top; directory = dirname(directory)) {
      if (seen.has(directory)) break;
      seen.add(directory);
      if (isThawed(directory) || !isAllKilled(tree, directory)) break;
      thaw({ version: 'v1-freezer', directory });
    }
  }
}

function isAllKilled(tree: DeadTree, directory: string): boolean {
  return (
    cgroupMembers(directory)?.every((pid) => {
      const member = tree.holder(pid);
      return member !== undefined && wasKilled(member);
    }) ?? false
  );
}
