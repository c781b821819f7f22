import type { Report, ReportedProcess } from '../model.ts';
import { cgroupPath } from '../procfs/cgroup.ts';
import { findHolders } from '../procfs/fd.ts';
import { readListeners } from '../procfs/net.ts';
import { planTargets } from '../reap/plan.ts';
import type { ProcessTable } from '../scan/process-table.ts';
import { portText } from './words.ts';

/** What would end with a process, by the way that its cure names. */
export interface Blast {
  /** `orphand clean`, `with its container`, `with nginx.service`, `with its children` */
  by: string;
  processes: { pid: number; comm: string }[];
  /** Every port that these listen on, watched or not: `8091`, `5353/udp`. */
  ports: string[];
}

/** What else ends where a process is ended the way that is meant for it; null where nothing is to be ended. */
export function blastOf(process: ReportedProcess, report: Report, table: ProcessTable): Blast | null {
  const found = membersOf(process, report, table);
  if (found === undefined) return null;
  const pids = [...new Set([process.pid, ...found.pids])].sort((one, other) => one - other);
  const processes = pids.flatMap((pid) => {
    const comm = table.stat(pid)?.comm;
    return comm === undefined ? [] : [{ pid, comm }];
  });
  return { by: found.by, processes, ports: portsOf(pids, table) };
}

function membersOf(
  process: ReportedProcess,
  report: Report,
  table: ProcessTable,
): { by: string; pids: number[] } | undefined {
  switch (process.verdict) {
    case 'orphan':
    case 'suspect': {
      const suspects = process.verdict === 'suspect';
      const ports = process.ports.length === 0 ? undefined : process.ports;
      const targets = planTargets(report, { suspects, ports }).map(({ identity }) => identity.pid);
      if (!targets.includes(process.pid)) return undefined;
      return { by: suspects ? 'orphand clean --suspects' : 'orphand clean', pids: targets };
    }
    case 'container': {
      const id = process.container?.id;
      const kin = report.processes.filter(
        (each) => each.container?.id === id && each.verdict === 'container',
      );
      return { by: 'with its container', pids: typeof id === 'string' ? kin.map(({ pid }) => pid) : [] };
    }
    case 'host': {
      if (process.reason === 'protected') return undefined;
      const { unit, cgroup } = process;
      if (unit === null) return { by: 'with its children', pids: descendantsOf(process.pid, table) };
      const below = cgroup.slice(0, cgroup.lastIndexOf(unit) + unit.length);
      const members = table.userPids.filter((pid) => isBelow(cgroupPath(table.cgroup(pid)), below));
      return { by: `with ${unit}`, pids: members };
    }
    case 'helper':
    case 'unknown':
      return undefined;
  }
}

function isBelow(path: string, top: string): boolean {
  return path === top || path.startsWith(`${top}/`);
}

function descendantsOf(pid: number, table: ProcessTable): number[] {
  return table.userPids.filter((each) => table.ancestors(each).some((ancestor) => ancestor.pid === pid));
}

function portsOf(pids: readonly number[], { proc }: ProcessTable): string[] {
  const listeners = readListeners(proc, { protocols: ['tcp', 'udp'] });
  const { holders } = findHolders(proc, pids, new Set(listeners.map(({ inode }) => inode)));
  const held = listeners
    .filter(({ inode }) => holders.has(inode))
    .sort((one, other) => one.port - other.port);
  return [...new Set(held.map(portText))];
}
