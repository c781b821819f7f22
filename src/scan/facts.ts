import type { ContainerView, ProcessFacts } from '../model.ts';
import { startedAt } from '../procfs/boot.ts';
import { cgroupPath } from '../procfs/cgroup.ts';
import { isKernelThread, type Stat } from '../procfs/stat.ts';
import type { ProcessTable } from './process-table.ts';
import type { ProvenanceFinder } from './provenance.ts';
import type { StackTrees } from './stack-trees.ts';
import { unitOf } from './unit.ts';

export interface FactSources {
  table: ProcessTable;
  provenance: ProvenanceFinder;
  trees: StackTrees;
  /** Watched ports by holder. */
  heldBy: ReadonlyMap<number, number[]>;
  view: (pid: number) => Promise<ContainerView | undefined>;
  userName: (uid: number) => string;
  hostRoot: string;
  /** ms since the epoch */
  bootTimeMs: number;
  self: number;
  protectedPids: ReadonlySet<number>;
}

/** What a verdict on a process without a live supervisor rests on; unreadable, it is `unknown`. */
const neededFiles = ['cgroup', 'mountinfo', 'cmdline'] as const;

/** Gathers everything that a verdict on one process may look at; undefined once the process has gone. */
export async function factsOf(
  pid: number,
  inScope: boolean,
  sources: FactSources,
): Promise<ProcessFacts | undefined> {
  const { table, provenance, trees } = sources;
  const stat = table.stat(pid);
  const uid = table.status(pid)?.euid;
  if (stat === undefined || uid === undefined) return undefined;
  const container = provenance.provenance(pid);
  const view = await sources.view(pid);
  const root = container === undefined ? trees.root(pid) : undefined;
  const cgroup = cgroupPath(table.cgroup(pid));
  return {
    pid,
    startTime: stat.startTime,
    startedAt: startedAt(sources.bootTimeMs, stat.startTime),
    ppid: stat.ppid,
    state: stat.state,
    uid,
    user: sources.userName(uid),
    comm: stat.comm,
    cmdline: table.cmdline(pid),
    exe: table.exe(pid),
    cgroup,
    unit: unitOf(cgroup, sources.hostRoot),
    ancestors: table.ancestors(pid),
    liveParent: container === undefined ? root?.parent : provenance.liveParent(pid),
    container,
    supervisor: provenance.supervisor(pid, container),
    view,
    currentInstance: currentInstance(pid, view, sources),
    helper: provenance.helper(pid),
    superseded: provenance.supersededSupervisor(pid),
    patterns: trees.patterns(pid),
    stackRoot: root,
    protectedAs: protection(stat, sources),
    ports: sources.heldBy.get(pid) ?? [],
    inScope,
    unreadable: table.unreadable(pid, neededFiles),
  };
}

function currentInstance(
  pid: number,
  view: ContainerView | undefined,
  { table, provenance }: FactSources,
): ProcessFacts['currentInstance'] {
  if (view?.pid === undefined) return 'none';
  const chain = [pid, ...table.ancestors(pid).map((ancestor) => ancestor.pid)];
  return chain.includes(view.pid) || provenance.sameInstance(pid, view.pid) ? 'self' : 'other';
}

function protection(stat: Stat, { self, protectedPids }: FactSources): ProcessFacts['protectedAs'] {
  if (stat.pid === 1) return 'pid 1';
  if (isKernelThread(stat)) return 'kernel thread';
  if (stat.pid === self) return 'orphand';
  return protectedPids.has(stat.pid) ? 'ancestor of orphand' : undefined;
}
