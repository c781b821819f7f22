import type { ContainerQuery } from '../container/runtimes/answer.ts';
import type { Provenance } from '../model.ts';
import type { Turns } from '../procfs/steps.ts';
import type { ProcessTable } from './process-table.ts';
import type { ProvenanceFinder } from './provenance.ts';
import type { RuntimeViews } from './runtime-views.ts';
import { isStackContainer, type StackContainers } from './stack-match.ts';

/** What is asked of the runtimes about the container of one process; undefined without one, or once it has gone. */
export function queryFor(
  pid: number,
  table: ProcessTable,
  provenance: ProvenanceFinder,
): ContainerQuery | undefined {
  const container = provenance.provenance(pid);
  const uid = table.status(pid)?.euid;
  if (container === undefined || uid === undefined) return undefined;
  const supervisor = provenance.supervisor(pid, container);
  return {
    provenance: container,
    uid,
    pids: [pid, ...table.ancestors(pid).map((ancestor) => ancestor.pid)],
    ...(supervisor === undefined ? {} : { supervisor }),
  };
}

/**
 * Which of the host's containers are the stack's. Names are in the records; podman's labels are not, so that its engine
 * is asked for them, once for a container, where the configuration has labels or projects.
 */
export async function stackContainers({
  contained,
  table,
  provenance,
  runtimes,
  stack,
  turns,
}: {
  contained: Iterable<number>;
  table: ProcessTable;
  provenance: ProvenanceFinder;
  runtimes: RuntimeViews;
  stack: StackContainers;
  turns: Turns;
}): Promise<(pid: number) => boolean> {
  const needLabels = stack.labels.length > 0 || stack.projects.length > 0;
  const known = new Map<string, boolean>();
  const keyOf = ({ runtime, id, store }: Provenance): string => `${runtime} ${id ?? store?.layer ?? ''}`;
  for (const pid of contained) {
    await turns.pass();
    const container = provenance.provenance(pid);
    if (container === undefined || known.has(keyOf(container))) continue;
    const byRecord = isStackContainer(runtimes.names(container), stack);
    const query = byRecord || !needLabels ? undefined : queryFor(pid, table, provenance);
    known.set(
      keyOf(container),
      byRecord ||
        (query !== undefined && isStackContainer(await runtimes.view(query, { labels: true }), stack)),
    );
  }
  return (pid) => {
    const container = provenance.provenance(pid);
    return container !== undefined && known.get(keyOf(container)) === true;
  };
}
