import type {
  ContainerView,
  ProcessFacts,
  ReportedPort,
  RuntimeStatus,
  Unreadable,
  WatchedPort,
} from '../model.ts';
import { readBootId, readSystemStat } from '../procfs/boot.ts';
import type { Holders } from '../procfs/fd.ts';
import type { ProcFs } from '../procfs/fs.ts';
import { Turns, type Steps } from '../procfs/steps.ts';
import { factsOf } from './facts.ts';
import { walkHoldersFast } from './holders.ts';
import { readPorts } from './ports.ts';
import { isPrivileged } from './privileges.ts';
import { ProcessTable } from './process-table.ts';
import { ProvenanceFinder } from './provenance.ts';
import type { RuntimeViews } from './runtime-views.ts';
import type { ScanMemory } from './scan-memory.ts';
import { findContained, findScope } from './scope.ts';
import { queryFor, stackContainers } from './stack-containers.ts';
import type { StackContainers } from './stack-match.ts';
import { StackTrees } from './stack-trees.ts';

export interface ScanOptions {
  proc: ProcFs;
  hostRoot: string;
  ports: readonly WatchedPort[];
  patterns: ReadonlyMap<string, RegExp>;
  containers: StackContainers;
  /** Made for this scan: what it learned is of this moment. */
  runtimes: RuntimeViews;
  userName: (uid: number) => string;
  /** orphand's own pid, which is never judged a target. */
  self: number;
  /** What the scans before know; without it everything is read. */
  memory?: ScanMemory | undefined;
  /** Read everything in spite of the memory, and let it know. */
  whole?: boolean | undefined;
  /** How long the event loop may be kept at a time, ms; without it until all is read. */
  sliceMs?: number | undefined;
}

/** The facts of one moment, gathered and not yet judged. */
export interface Scan {
  bootId: string;
  takenAt: Date;
  durationMs: number;
  privileged: boolean;
  unreadable: Unreadable[];
  runtimes: RuntimeStatus[];
  ports: ReportedPort[];
  facts: ProcessFacts[];
}

/** Looks at the whole host once (DESIGN.md section 2 and 4): every watched port and every process in scope. */
export async function scan(options: ScanOptions): Promise<Scan> {
  const takenAt = new Date();
  // Not performance.now(): it loads perf_hooks, 2 ms of a command's start.
  const start = process.hrtime.bigint();
  const { proc, hostRoot, runtimes, self, memory, whole = false, sliceMs } = options;
  const turns = new Turns(sliceMs);
  const privileged = isPrivileged(proc);
  // Before the list of processes: whoever is forked after that counts for the next scan.
  const { bootTimeMs, forks } = readSystemStat(proc);
  // Hidden processes (hidepid) may come to sight without a fork.
  const known = memory && (await turns.run(memory.begin(whole, privileged ? forks : undefined)));
  const table = new ProcessTable(proc, known?.selection);
  await turns.run(table.load());
  const provenance = new ProvenanceFinder(table, self);
  const protectedPids = new Set([self, ...table.ancestors(self).map(({ pid }) => pid)]);
  const trees = new StackTrees({ table, provenance, patterns: options.patterns, hostRoot, protectedPids });
  const find = (inodes: ReadonlySet<number>): Steps<Holders> =>
    memory && known
      ? memory.holders.find(inodes, known)
      : walkHoldersFast(proc, table.userPids, inodes, { atOnce: sliceMs === undefined });
  const { ports, heldBy, unreadable } = await turns.run(readPorts(proc, options.ports, find));
  const contained = await turns.run(findContained(table, provenance));
  const isStackContainer = await stackContainers({
    contained,
    table,
    provenance,
    runtimes,
    stack: options.containers,
    turns,
  });
  const { inScope, reportedOnly, candidates } = await turns.run(
    findScope({ table, provenance, trees, holders: heldBy.keys(), contained, isStackContainer }),
  );
  const sources = {
    table,
    provenance,
    trees,
    heldBy,
    view: (pid: number) => view(pid, table, provenance, runtimes),
    userName: options.userName,
    hostRoot,
    bootTimeMs,
    self,
    protectedPids,
  };
  const facts: ProcessFacts[] = [];
  for (const pid of [...inScope, ...reportedOnly].sort((a, b) => a - b)) {
    await turns.pass();
    const found = await factsOf(pid, inScope.has(pid), sources);
    if (found !== undefined) facts.push(found);
  }
  memory?.end({ pids: [...candidates], commands: table.commands() });
  return {
    bootId: readBootId(proc),
    takenAt,
    durationMs: Number(process.hrtime.bigint() - start) / 1e6,
    privileged,
    unreadable: [...unreadable, ...facts.flatMap((each) => each.unreadable)],
    runtimes: runtimes.statuses(() => table.commands()),
    ports,
    facts,
  };
}

/** A runtime is asked only for a process that nothing keeps; of a supervised one only the record is read. */
async function view(
  pid: number,
  table: ProcessTable,
  provenance: ProvenanceFinder,
  runtimes: RuntimeViews,
): Promise<ContainerView | undefined> {
  const query = queryFor(pid, table, provenance);
  return query === undefined
    ? undefined
    : runtimes.view(query, { recordOnly: query.supervisor !== undefined });
}
