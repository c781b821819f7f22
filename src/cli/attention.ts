import type { Report, ReportedPort, ReportedProcess } from '../model.ts';

/** What in a report a person has to look at. */
export interface Attention {
  /** In scope, and an orphan, a suspect or unknown. */
  processes: ReportedProcess[];
  /** Held by a socket of which no holder could be seen: as good as unknown. */
  holderless: ReportedPort[];
}

/** Sorts out what needs attention; nothing does where both lists are empty, which is exit code 0 of `scan`. */
export function attention(report: Report): Attention {
  return {
    processes: report.processes.filter(
      ({ inScope, verdict }) =>
        inScope && (verdict === 'orphan' || verdict === 'suspect' || verdict === 'unknown'),
    ),
    holderless: report.ports.filter(({ listeners }) => listeners.some(({ holders }) => holders.length === 0)),
  };
}

/** 0 where nothing needs attention, else 1. */
export function exitCodeOf(report: Report): 0 | 1 {
  const { processes, holderless } = attention(report);
  return processes.length === 0 && holderless.length === 0 ? 0 : 1;
}
