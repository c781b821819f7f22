import type { Finding } from '../http/engine.ts';
import type { Report, ReportedProcess } from '../model.ts';

/** Compares two reports: which processes came into, changed within, or left the orphans, suspects and unknowns in scope. Pure. */
export function findingsBetween(before: Report | undefined, after: Report): Finding[] {
  const known = found(before);
  const now = found(after);
  const at = after.takenAt;
  const findings: Finding[] = [];
  for (const [key, process] of now) {
    const previous = known.get(key);
    if (previous === undefined) findings.push({ change: 'appeared', at, process, previous: null });
    else if (previous.verdict !== process.verdict || previous.reason !== process.reason) {
      findings.push({ change: 'changed', at, process, previous: previous.verdict });
    }
  }
  for (const [key, process] of known) {
    if (!now.has(key))
      findings.push({ change: 'gone', at, process: latest(process, after), previous: process.verdict });
  }
  return findings;
}

function found(report: Report | undefined): Map<string, ReportedProcess> {
  const processes = (report?.processes ?? []).filter(({ inScope, verdict }) => {
    return inScope && (verdict === 'orphan' || verdict === 'suspect' || verdict === 'unknown');
  });
  return new Map(processes.map((process) => [keyOf(process), process]));
}

/** It may still run, as a container's process again. */
function latest(process: ReportedProcess, after: Report): ReportedProcess {
  return after.processes.find((each) => keyOf(each) === keyOf(process)) ?? process;
}

function keyOf({ pid, startTime }: ReportedProcess): string {
  return `${pid} ${startTime}`;
}
