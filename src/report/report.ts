import { classify } from '../classify/classify.ts';
import type { ProcessFacts, Report, ReportedProcess, Summary, Verdict } from '../model.ts';
import type { Scan } from '../scan/scan.ts';
import { causeOf } from './cause.ts';

/** Judges a scan: the object that `scan --json` prints and GET /api/v1/scan answers. */
export function reportOf(scan: Scan): Report {
  const processes = scan.facts.map(judged);
  return {
    schema: 1,
    bootId: scan.bootId,
    takenAt: scan.takenAt.toISOString(),
    durationMs: Math.round(scan.durationMs * 10) / 10,
    privileged: scan.privileged,
    unreadable: scan.unreadable,
    runtimes: scan.runtimes,
    ports: scan.ports,
    processes,
    summary: summaryOf(processes),
  };
}

function judged(facts: ProcessFacts): ReportedProcess {
  const judgement = classify(facts);
  return {
    pid: facts.pid,
    startTime: facts.startTime,
    startedAt: facts.startedAt,
    ppid: facts.ppid,
    uid: facts.uid,
    user: facts.user,
    comm: facts.comm,
    cmdline: facts.cmdline,
    exe: facts.exe ?? null,
    cgroup: facts.cgroup,
    unit: facts.unit?.name ?? null,
    container:
      facts.container === undefined
        ? null
        : {
            runtime: facts.container.runtime,
            id: facts.container.id ?? null,
            name: facts.view?.name ?? null,
          },
    supervisor:
      facts.supervisor === undefined ? null : { pid: facts.supervisor.pid, comm: facts.supervisor.comm },
    ports: facts.ports,
    patterns: facts.patterns,
    inScope: facts.inScope,
    verdict: judgement.verdict,
    reason: judgement.reason,
    cause: causeOf(facts, judgement),
    warning: judgement.warning ?? null,
    evidence: judgement.evidence,
  };
}

/** Counts by verdict what is in scope: what is only reported is nothing that orphand would ever act on. */
export function summaryOf(processes: readonly ReportedProcess[]): Summary {
  const summary: Record<Verdict, number> = {
    orphan: 0,
    suspect: 0,
    container: 0,
    helper: 0,
    host: 0,
    unknown: 0,
  };
  for (const { verdict, inScope } of processes) if (inScope) summary[verdict] += 1;
  return summary;
}
