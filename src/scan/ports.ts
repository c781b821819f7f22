import type { ReportedPort, Unreadable, WatchedPort } from '../model.ts';
import type { ProcFs } from '../procfs/fs.ts';
import { readListeners } from '../procfs/net.ts';
import type { Holders } from '../procfs/fd.ts';
import type { Steps } from '../procfs/steps.ts';

export interface PortsAndHolders {
  ports: ReportedPort[];
  /** Watched ports by the process that holds their listening socket. */
  heldBy: Map<number, number[]>;
  unreadable: Unreadable[];
}

/**
 * Who listens on the watched ports of the host. Only holders of the listening socket count, not the clients that
 * `lsof -i:PORT` also lists; nobody is asked for them where nobody listens.
 */
export function* readPorts(
  proc: ProcFs,
  watched: readonly WatchedPort[],
  find: (inodes: ReadonlySet<number>) => Steps<Holders>,
): Steps<PortsAndHolders> {
  const wanted = new Set(watched.map(({ port }) => port));
  const protocols = [...new Set(watched.map(({ protocol }) => protocol))];
  const listeners = readListeners(proc, { protocols, ports: wanted });
  const inodes = new Set(listeners.map(({ inode }) => inode));
  const { holders, unreadable } =
    inodes.size === 0 ? { holders: new Map<number, number[]>(), unreadable: [] } : yield* find(inodes);

  const heldBy = new Map<number, number[]>();
  const ports = watched.map((port): ReportedPort => {
    const mine = listeners.filter((each) => each.port === port.port && each.protocol === port.protocol);
    for (const pid of new Set(mine.flatMap(({ inode }) => holders.get(inode) ?? []))) {
      heldBy.set(pid, [...(heldBy.get(pid) ?? []), port.port]);
    }
    return {
      ...port,
      state: mine.length === 0 ? 'free' : 'held',
      listeners: mine.map(({ address, inode, uid }) => ({
        address,
        inode,
        uid,
        holders: holders.get(inode) ?? [],
      })),
    };
  });
  return { ports, heldBy, unreadable };
}
