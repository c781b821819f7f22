import type { Steps } from '../procfs/steps.ts';
import type { ProcessTable } from './process-table.ts';
import type { ProvenanceFinder } from './provenance.ts';
import type { StackTrees } from './stack-trees.ts';

export interface Scope {
  /** Processes that hold a watched socket, match a pattern, belong to the stack's containers or to the tree of one that does. */
  inScope: Set<number>;
  /** Processes of unsupervised containers that are not the stack's: reported, never ended. */
  reportedOnly: Set<number>;
  /** All that could be in scope: no other process can, unless it becomes another one or takes over a socket. */
  candidates: Set<number>;
}

/** The processes that are part of a container, in steps: to find out takes most of what a process costs. */
export function* findContained(table: ProcessTable, provenance: ProvenanceFinder): Steps<Set<number>> {
  const contained = new Set<number>();
  for (const pid of yield* table.load()) {
    yield;
    if (provenance.provenance(pid) !== undefined) contained.add(pid);
  }
  return contained;
}

/** Which processes are looked at (DESIGN.md section 2, Scope). */
export function* findScope(options: {
  table: ProcessTable;
  provenance: ProvenanceFinder;
  trees: StackTrees;
  holders: Iterable<number>;
  contained: ReadonlySet<number>;
  isStackContainer: (pid: number) => boolean;
}): Steps<Scope> {
  const { table, provenance, trees, contained } = options;
  const inScope = new Set(options.holders);
  const candidates = new Set([...inScope, ...contained]);
  for (const pid of table.userPids) {
    yield;
    if (contained.has(pid)) {
      if (options.isStackContainer(pid) || trees.patterns(pid).length > 0) inScope.add(pid);
    } else {
      const root = trees.root(pid);
      const matches = trees.patterns(pid).length > 0;
      if (matches || root !== undefined || provenance.isKept(pid)) candidates.add(pid);
      if (matches || root?.reparented === true) inScope.add(pid);
    }
  }
  addKin(inScope, contained, provenance);
  addSupersededSupervisors(inScope, provenance);
  const reportedOnly = new Set(
    [...contained].filter(
      (pid) => !inScope.has(pid) && provenance.supervisor(pid, provenance.provenance(pid)) === undefined,
    ),
  );
  return { inScope, reportedOnly, candidates };
}

/** A dead container is ended whole: what shares a container with a process in scope is in scope, port or not. */
function addKin(inScope: Set<number>, contained: Iterable<number>, provenance: ProvenanceFinder): void {
  const keys = new Set([...inScope].flatMap((pid) => provenance.containerKeys(pid)));
  for (const pid of contained) {
    if (provenance.containerKeys(pid).some((key) => keys.has(key))) inScope.add(pid);
  }
}

function addSupersededSupervisors(inScope: Set<number>, provenance: ProvenanceFinder): void {
  for (const pid of [...inScope]) {
    const supervisor = provenance.supervisor(pid, provenance.provenance(pid));
    if (supervisor?.superseded !== undefined) inScope.add(supervisor.pid);
  }
}
