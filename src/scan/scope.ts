import type { ProcessTable } from './process-table.ts';
import type { ProvenanceFinder } from './provenance.ts';
import type { StackTrees } from './stack-trees.ts';

export interface Scope {
  /** Processes that hold a watched socket, match a pattern, belong to the stack's containers or to the tree of one that does. */
  inScope: Set<number>;
  /** Processes of unsupervised containers that are not the stack's: reported, never ended. */
  reportedOnly: Set<number>;
}

/** Which processes are looked at (DESIGN.md section 2, Scope). */
export function findScope(options: {
  table: ProcessTable;
  provenance: ProvenanceFinder;
  trees: StackTrees;
  holders: Iterable<number>;
  isStackContainer: (pid: number) => boolean;
}): Scope {
  const { table, provenance, trees } = options;
  const inScope = new Set(options.holders);
  const contained: number[] = [];
  for (const pid of table.userPids) {
    if (provenance.provenance(pid) !== undefined) {
      contained.push(pid);
      if (options.isStackContainer(pid) || trees.patterns(pid).length > 0) inScope.add(pid);
    } else if (trees.patterns(pid).length > 0 || trees.root(pid)?.reparented === true) {
      inScope.add(pid);
    }
  }
  addKin(inScope, contained, provenance);
  addSupersededSupervisors(inScope, provenance);
  const reportedOnly = new Set(
    contained.filter(
      (pid) => !inScope.has(pid) && provenance.supervisor(pid, provenance.provenance(pid)) === undefined,
    ),
  );
  return { inScope, reportedOnly };
}

/** A dead container is ended whole: what shares a container with a process in scope is in scope, port or not. */
function addKin(inScope: Set<number>, contained: readonly number[], provenance: ProvenanceFinder): void {
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
