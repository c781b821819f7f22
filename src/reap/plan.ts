import type { ReportedProcess, Report, Target } from '../model.ts';
import { CleanupRefusedError } from './refusal.ts';

/** What a plan may choose from. */
export interface PlanOptions {
  suspects: boolean;
  /** Only processes that hold one of these ports, and what belongs to the same container or dead tree. */
  ports?: readonly number[] | undefined;
}

type Endable = ReportedProcess & { verdict: 'orphan' | 'suspect' };

/** Chooses what a report allows to end: orphans, suspects on request, in scope, superseded supervisors first. Pure. */
export function planTargets(report: Report, options: PlanOptions): Target[] {
  const endable = report.processes.filter(
    (process): process is Endable =>
      process.verdict === 'orphan' || (options.suspects && process.verdict === 'suspect'),
  );
  const chosen = chooseByPort(inScope(endable), options.ports);
  const targets = chosen.map((process) => toTarget(report, process, chosen));
  return [
    ...targets.filter((target) => target.supervisor),
    ...targets.filter((target) => !target.supervisor),
  ];
}

/** Throws CleanupRefusedError `too-many-targets` when a plan would end more processes than `maxTargets`, unless forced. */
export function checkBlastRadius(targets: readonly unknown[], maxTargets: number, force: boolean): void {
  if (force || targets.length <= maxTargets) return;
  throw new CleanupRefusedError(
    'too-many-targets',
    `${targets.length} processes would be ended, more than maxTargets (${maxTargets}): look at the list first, then use --force`,
  );
}

/** Names a container across processes; undefined where only its store is known. */
export function containerKey(container: ReportedProcess['container']): string | undefined {
  return typeof container?.id === 'string' ? `${container.runtime}:${container.id}` : undefined;
}

// A worker of a dead container that holds no watched port is of the same dead tree as the one that does.
function inScope(endable: Endable[]): Endable[] {
  const containers = new Set(
    endable.filter((each) => each.inScope).map((each) => containerKey(each.container)),
  );
  containers.delete(undefined);
  return endable.filter((each) => each.inScope || containers.has(containerKey(each.container)));
}

function chooseByPort(candidates: Endable[], ports: readonly number[] | undefined): Endable[] {
  if (ports === undefined) return candidates;
  const chosen = new Set(candidates.filter((each) => each.ports.some((port) => ports.includes(port))));
  // Kinship is transitive (a worker's parent's container): repeat until nothing is added.
  for (let size = -1; size !== chosen.size;) {
    size = chosen.size;
    for (const each of candidates) if ([...chosen].some((kin) => areKin(each, kin))) chosen.add(each);
  }
  return candidates.filter((each) => chosen.has(each));
}

function areKin(one: Endable, other: Endable): boolean {
  const container = containerKey(one.container);
  return (
    (container !== undefined && container === containerKey(other.container)) ||
    one.ppid === other.pid ||
    other.ppid === one.pid ||
    one.supervisor?.pid === other.pid ||
    other.supervisor?.pid === one.pid
  );
}

function toTarget(report: Report, process: Endable, chosen: Endable[]): Target {
  const supervised = chosen.find((each) => each.supervisor?.pid === process.pid && each !== process);
  // Members of a superseded tree have a live supervisor by definition: the one without is that supervisor.
  const supervisor =
    process.reason === 'superseded-instance' && (supervised !== undefined || process.supervisor === null);
  return {
    identity: { bootId: report.bootId, pid: process.pid, startTime: process.startTime },
    comm: process.comm,
    cmdline: process.cmdline,
    verdict: process.verdict,
    reason: process.reason,
    cause: process.cause,
    ports: process.ports,
    container: process.container ?? (supervisor ? (supervised?.container ?? null) : null),
    uid: process.uid,
    supervisor,
  };
}
