import type { Report, ReportedPort, ReportedProcess, Verdict } from '../../model.ts';
import type { CleanupEntry, Status, SweepRecord } from '../engine.ts';
import { verdicts } from '../schemas/report.ts';

/** Everything that the page shows, at one moment. */
export interface PageView {
  /** Milliseconds since the epoch. */
  now: number;
  status: Status;
  report: Report | undefined;
  /** Age of the report. */
  ageMs: number;
  sweeps: SweepRecord[];
  cleanups: CleanupEntry[];
  /** Whether this request may clean up. */
  control: boolean;
  /** Whether a token would let it. */
  unlockable: boolean;
}

/** What a port is in one word: free, or the gravest verdict of who holds it. */
export type PortLook = Verdict | 'free';

/** A watched port with its holders, gravest first. */
export interface PortRow {
  port: ReportedPort;
  look: PortLook;
  holders: ReportedProcess[];
  /** Pids that hold it and that the report says nothing of. */
  unseen: number[];
}

/** Gravest first; `free` last. */
export const looks: readonly PortLook[] = [...verdicts, 'free'];

/** What each is called on the page, and the mark that says it without colour. */
export const lookWords: Readonly<Record<PortLook, { word: string; mark: string }>> = {
  orphan: { word: 'orphan', mark: '▲' },
  suspect: { word: 'suspect', mark: '◆' },
  unknown: { word: 'unknown', mark: '?' },
  container: { word: 'live container', mark: '●' },
  helper: { word: 'runtime helper', mark: '●' },
  host: { word: 'host process', mark: '■' },
  free: { word: 'free', mark: '○' },
};

function gravity(look: PortLook): number {
  return looks.indexOf(look);
}

/** The watched ports, those that need a person first, otherwise as configured. */
export function portRows(report: Report): PortRow[] {
  const byPid = new Map(report.processes.map((process) => [process.pid, process]));
  return report.ports
    .map((port): PortRow => {
      const pids = [...new Set(port.listeners.flatMap((listener) => listener.holders))];
      const holders = pids
        .flatMap((pid) => byPid.get(pid) ?? [])
        .sort((one, other) => gravity(one.verdict) - gravity(other.verdict));
      const look = port.state === 'free' ? 'free' : (holders[0]?.verdict ?? 'unknown');
      return { port, look, holders, unseen: pids.filter((pid) => !byPid.has(pid)) };
    })
    .sort((one, other) => urgency(one.look) - urgency(other.look));
}

// Live containers, host processes and free ports stay in the order of the configuration.
function urgency(look: PortLook): number {
  return Math.min(gravity(look), gravity('container'));
}

/** Orphans, suspects and unknowns that hold no watched port. */
export function portlessFindings(report: Report): ReportedProcess[] {
  return report.processes
    .filter((process) => process.ports.length === 0 && urgency(process.verdict) < gravity('container'))
    .sort((one, other) => gravity(one.verdict) - gravity(other.verdict));
}
