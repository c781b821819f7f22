import { basename } from 'node:path';
import { programOf, type Named } from '../container/program.ts';
import { helperKind } from '../container/supervisor.ts';
import { openPidFd, PidFdUnavailableError, type PidFd } from '../linux/pidfd.ts';
import { readCgroup } from '../procfs/cgroup.ts';
import { readCmdline } from '../procfs/cmdline.ts';
import { readExe } from '../procfs/links.ts';
import { MalformedError, UnreadableError, type ProcFs } from '../procfs/fs.ts';
import { listPids } from '../procfs/pids.ts';
import { readStat, type Stat } from '../procfs/stat.ts';
import type { DeadTree } from './dead-tree.ts';
import type { Member } from './member.ts';

/** One walk over all processes for children of the tree. */
export interface ForkWalk {
  adopted: Member[];
  /** Nothing was found, and no member can fork any more: each is stopped, asleep in the kernel, or has exited. */
  settled: boolean;
}

// A descriptor each: what a fork bomb makes beyond that is left to the next round.
const MAX_HELD = 2048;
const unableToFork = new Set(['T', 't', 'D', 'Z', 'X', 'x']);

/** Takes in every child, and child's child, of a running member (PPid, proc_pid_stat(5)), except what lives on its own account. */
export function adoptForks(tree: DeadTree): ForkWalk {
  const { stats, children } = snapshot(tree.proc);
  const protectedPids = ownLine(stats);
  const adopted: Member[] = [];
  const queue = tree.alive();
  const settled = queue.every(({ pid }) => unableToFork.has(stats.get(pid)?.state ?? 'X'));
  let held = queue.length;
  for (let parent = queue.shift(); parent !== undefined; parent = queue.shift()) {
    for (const pid of children.get(parent.pid) ?? []) {
      if (held >= MAX_HELD || protectedPids.has(pid) || tree.holder(pid) !== undefined) continue;
      const member = adoptChild(tree, parent, pid);
      if (member === undefined) continue;
      held += 1;
      adopted.push(member);
      queue.push(member);
    }
  }
  return { adopted, settled: settled && adopted.length === 0 };
}

/** Takes in one process as a child of a member, if it is that; undefined when it is not, has gone, or lives on its own account. */
export function adoptChild(tree: DeadTree, parent: Member, pid: number): Member | undefined {
  const pidfd = tryOpen(pid);
  if (pidfd === undefined) return undefined;
  let member: Member | undefined;
  try {
    const stat = tryRead(() => readStat(tree.proc, pid));
    const cgroup = tryRead(() => readCgroup(tree.proc, pid));
    const cmdline = tryRead(() => readCmdline(tree.proc, pid)) ?? [];
    const exe = tryRead(() => readExe(tree.proc, pid));
    // The order is the proof: the parent's pidfd is asked after the child's ppid was read, and while it lives that
    // number is its own; the child's is asked last, so that all of this was about the process that it holds.
    if (stat === undefined || stat.ppid !== parent.pid) return undefined;
    const { startTime, comm } = stat;
    if (tree.hasExited(parent) || actsForContainers({ comm, cmdline, exe })) return undefined;
    if (livesOnItsOwn(tree, parent, stat, cgroup) || pidfd.hasExited()) return undefined;
    const { target } = parent;
    member = tree.adopt({
      pid,
      startTime,
      comm,
      cmdline,
      target,
      origin: 'fork',
      foundUnder: parent.pid,
      pidfd,
    });
    return member;
  } finally {
    if (member === undefined) pidfd.close();
  }
}

// `docker run` and `docker compose up` hand a SIGTERM on to containers that are alive; so does podman, a helper.
const clients = new Set(['docker', 'docker-compose', 'podman-compose', 'nerdctl', 'ctr', 'crictl']);

/** A runtime's own process, or somebody's hold on a live container. */
function actsForContainers(process: Named): boolean {
  const script = process.cmdline.slice(1).find((word) => !word.startsWith('-')) ?? '';
  return (
    helperKind(process) !== undefined || clients.has(programOf(process)) || clients.has(basename(script))
  );
}

/** A child may be somebody's in its own right: a live container's, a unit's. What the last look calls anything but an orphan stays. */
function livesOnItsOwn(tree: DeadTree, parent: Member, stat: Stat, cgroup: string | undefined): boolean {
  const known = tree.report.processes.find(
    ({ pid, startTime }) => pid === stat.pid && startTime === stat.startTime,
  );
  const { target } = parent;
  if (known !== undefined && known.verdict !== 'orphan' && known.verdict !== target.verdict) return true;
  if (cgroup !== undefined && cgroup === parent.cgroup) return false;
  // Elsewhere than its parent: still the container's own (systemd inside it makes cgroups), or somebody moved it out.
  const id = target.container?.id ?? '';
  return cgroup === undefined || id.length < 12 || !cgroup.includes(id);
}

function snapshot(proc: ProcFs): { stats: Map<number, Stat>; children: Map<number, number[]> } {
  const stats = new Map<number, Stat>();
  const children = new Map<number, number[]>();
  for (const pid of tryRead(() => listPids(proc)) ?? []) {
    const stat = tryRead(() => readStat(proc, pid));
    if (stat === undefined) continue;
    stats.set(pid, stat);
    const siblings = children.get(stat.ppid);
    if (siblings === undefined) children.set(stat.ppid, [pid]);
    else siblings.push(pid);
  }
  return { stats, children };
}

/** This process and everything above it. */
function ownLine(stats: ReadonlyMap<number, Stat>): Set<number> {
  const line = new Set<number>();
  for (
    let pid: number | undefined = process.pid;
    pid !== undefined && pid > 0 && !line.has(pid);
    pid = stats.get(pid)?.ppid
  ) {
    line.add(pid);
  }
  return line;
}

function tryOpen(pid: number): PidFd | undefined {
  try {
    return openPidFd(pid);
  } catch (error) {
    // Out of descriptors: the next round has some again.
    if (error instanceof PidFdUnavailableError) return undefined;
    throw error;
  }
}

function tryRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    // What can't be read is not taken in.
    if (error instanceof UnreadableError || error instanceof MalformedError) return undefined;
    throw error;
  }
}
