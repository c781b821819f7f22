import type { Config } from '../../config/config.ts';
import { findHolders } from '../../procfs/fd.ts';
import { readListeners } from '../../procfs/net.ts';
import { ProcessTable } from '../../scan/process-table.ts';
import { ProvenanceFinder } from '../../scan/provenance.ts';
import { engineText, listHost } from '../stack.ts';
import { fromRunning } from './from-running.ts';
import type { RunningContainer } from './from-running.ts';
import { merge, emptyLearned } from './learned.ts';
import type { Learned } from './learned.ts';

/** Learns from the containers that run now and share the host's network. */
export async function readRunning(config: Config): Promise<Learned> {
  const { listed, silent } = await listHost(config);
  const remarks = silent.map(
    ({ runtime, user, reason }) => `${engineText(runtime, user.name)} was not asked: ${reason}`,
  );
  const containers = listed
    .flatMap((each) => each.containers)
    .filter(({ hostNetwork, state, pid }) => hostNetwork && state === 'running' && pid !== undefined);
  if (containers.length === 0) return { ...emptyLearned(), remarks };
  const table = new ProcessTable({ root: '/proc' });
  const provenance = new ProvenanceFinder(table, process.pid);
  const listeners = readListeners(table.proc, { protocols: config.protocols });
  const { holders } = findHolders(table.proc, table.userPids, new Set(listeners.map(({ inode }) => inode)));
  const running = containers.map((container): RunningContainer => {
    const first = container.pid ?? 0;
    const members = table.userPids.filter(
      (pid) =>
        pid === first ||
        table.ancestors(pid).some((ancestor) => ancestor.pid === first) ||
        provenance.sameInstance(pid, first),
    );
    return {
      container,
      ports: listeners
        .filter(({ inode }) => holders.get(inode)?.some((pid) => members.includes(pid)) === true)
        .map(({ port, protocol }) => ({ port, protocol })),
      commands: members.map((pid) => table.cmdline(pid)),
    };
  });
  return merge(fromRunning(running), { ...emptyLearned(), remarks });
}
