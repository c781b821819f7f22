import { freeze, isFrozen, thaw, writeControl } from './cgroup-freezer.ts';
import { cgroupMembers, type ContainerCgroup } from './container-cgroup.ts';
import type { DeadTree } from './dead-tree.ts';
import type { Member } from './member.ts';

/**
 * Sends SIGKILL to a dead container's whole cgroup at once, which no fork escapes: by `cgroup.kill` (cgroup v2, kernel
 * 5.14), or in the freezer. Only where every process in it is a member of the tree; false when nothing was sent.
 * `takeIn` is asked for processes that are not, while they are frozen, and may make them members.
 */
export async function killContainerCgroup(
  tree: DeadTree,
  cgroup: ContainerCgroup,
  takeIn: (strangers: number[]) => Promise<void>,
): Promise<boolean> {
  const first = cgroupMembers(cgroup.directory);
  if (first === undefined || first.length === 0) return false;
  const held = asMembers(tree, first);
  if (held !== undefined && cgroup.version === 'v2' && killByFile(tree, cgroup, held)) return true;

  // Not even for a moment is something frozen that the last look calls alive.
  if (tree.report.processes.some(({ pid, verdict }) => first.includes(pid) && verdict !== 'orphan'))
    return false;
  const paused = isFrozen(cgroup);
  let sent = false;
  try {
    if (await freeze(cgroup, tree.clock)) sent = await killFrozen(tree, cgroup, takeIn);
  } finally {
    // v1 delivers the SIGKILL only now. What was paused by its runtime and is not ended stays paused.
    if (sent || !paused) thaw(cgroup);
  }
  return sent;
}

async function killFrozen(
  tree: DeadTree,
  cgroup: ContainerCgroup,
  takeIn: (strangers: number[]) => Promise<void>,
): Promise<boolean> {
  const frozen = cgroupMembers(cgroup.directory) ?? [];
  const strangers = frozen.filter((pid) => tree.holder(pid) === undefined);
  if (strangers.length > 0) await takeIn(strangers);
  // Again: frozen processes fork nothing, but others may be moved in.
  const members = asMembers(tree, cgroupMembers(cgroup.directory) ?? []);
  if (members === undefined || members.length === 0) return false;
  if (cgroup.version === 'v2' && killByFile(tree, cgroup, members)) return true;
  for (const member of members) {
    tree.send(member, 'SIGKILL');
    tree.note(member, 'freezer');
  }
  return true;
}

function killByFile(tree: DeadTree, cgroup: ContainerCgroup, members: Member[]): boolean {
  if (!writeControl(cgroup.directory, 'cgroup.kill', '1')) return false;
  for (const member of members) tree.note(member, 'cgroup.kill');
  return true;
}

/** The members with these pids; undefined when one of the pids is not a member's. Its pidfd, alive after the list was read, proves the number. */
function asMembers(tree: DeadTree, pids: number[]): Member[] | undefined {
  const members = pids.map((pid) => tree.holder(pid));
  return members.every((member): member is Member => member?.refused === undefined && member !== undefined)
    ? members
    : undefined;
}
