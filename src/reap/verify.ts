import type {
  CleanedPort,
  ReportedListener,
  ReportedPort,
  ReportedProcess,
  Report,
  Target,
} from '../model.ts';
import { planTargets } from './plan.ts';

export interface Verification {
  ports: CleanedPort[];
  /** What still is an orphan, suspect or unknown in scope, or holds a port that a target held and is no live container's. */
  remaining: ReportedProcess[];
  ok: boolean;
}

export interface VerifyOptions {
  /** The look before the first signal. */
  before: Report;
  /** A look after the last one. */
  after: Report;
  /** What was to be ended. */
  targets: readonly Target[];
  /** The ports that the clean-up was for; undefined: every watched one. */
  ports?: readonly number[] | undefined;
  /** How long the clean-up took. */
  ms: number;
}

/** Compares the looks before and after: which ports are free of the targets, and what is left to deal with. Pure. */
export function verify(options: VerifyOptions): Verification {
  const { before, after, targets, ports } = options;
  const wanted = new Set(targets.flatMap((target) => target.ports));
  const inodes = heldInodes(before, targets);
  const checked = after.ports.map((port) => {
    const ours = port.listeners.some((listener) => isOurs(listener, after, targets, inodes));
    return { port, freed: wanted.has(port.port) && !ours };
  });
  const endable = new Set(planTargets(after, { suspects: true, ports }).map(({ identity }) => identity.pid));
  const remaining = after.processes.filter(
    (process) => endable.has(process.pid) || isUnjudged(process, ports) || standsIn(process, wanted),
  );
  // A listener whose holder nobody can name is held all the same.
  const unseen = after.ports.some(
    (port) => wanted.has(port.port) && port.listeners.some(({ holders }) => holders.length === 0),
  );
  return {
    ports: merge(checked, options.ms),
    remaining,
    ok: remaining.length === 0 && !unseen,
  };
}

function isUnjudged(process: ReportedProcess, ports: readonly number[] | undefined): boolean {
  if (process.verdict !== 'unknown' || !process.inScope) return false;
  return ports === undefined || process.ports.some((port) => ports.includes(port));
}

/** Holds a port that a target held: a container that came back may, anyone else is in its way. */
function standsIn(process: ReportedProcess, wanted: ReadonlySet<number>): boolean {
  return !isAlive(process) && process.ports.some((port) => wanted.has(port));
}

function isAlive(process: ReportedProcess | undefined): boolean {
  return process?.verdict === 'container' || process?.verdict === 'helper';
}

/** Whether a listening socket is still one that the targets had: held by one of them, or handed on to somebody else. */
function isOurs(
  listener: ReportedListener,
  after: Report,
  targets: readonly Target[],
  inodes: ReadonlySet<number>,
): boolean {
  const holders = listener.holders.map((pid) => after.processes.find((process) => process.pid === pid));
  const byTarget = listener.holders.some((pid) => {
    const process = after.processes.find((each) => each.pid === pid);
    return targets.some(({ identity }) => identity.pid === pid && identity.startTime === process?.startTime);
  });
  return byTarget || (inodes.has(listener.inode) && !holders.some(isAlive));
}

function heldInodes(before: Report, targets: readonly Target[]): Set<number> {
  const pids = new Set(targets.map(({ identity }) => identity.pid));
  const listeners = before.ports.flatMap((port) => port.listeners);
  return new Set(
    listeners.filter(({ holders }) => holders.some((pid) => pids.has(pid))).map(({ inode }) => inode),
  );
}

/** One row per number: a port may be watched for tcp and for udp. */
function merge(checked: { port: ReportedPort; freed: boolean }[], ms: number): CleanedPort[] {
  const rows = new Map<number, CleanedPort>();
  for (const { port, freed } of checked) {
    const row = rows.get(port.port);
    const both = row === undefined || row.freed === freed ? freed : false;
    const state = row?.state === 'held' ? 'held' : port.state;
    rows.set(port.port, { port: port.port, service: port.service, state, freed: both, ms: both ? ms : 0 });
  }
  return [...rows.values()];
}
