import type { Config } from '../config/config.ts';
import type { Limit } from '../http/engine.ts';
import type { Report } from '../model.ts';

/** What limits can be told from. */
export interface LimitFacts {
  config: Config;
  report: Report | undefined;
  /** errno name; undefined: pidfds work here. */
  pidfd: string | undefined;
  /** CAP_KILL, or root. */
  maySignal: boolean;
  /** Why the state directory takes no journal; undefined: it does. */
  journal: string | undefined;
  /** Found out elsewhere: sockets, reload, interrupted clean-ups. */
  others: readonly Limit[];
}

/** What keeps orphand from seeing or doing all it should, each with its cure. Pure. */
export function limitsOf({ config, report, pidfd, maySignal, journal, others }: LimitFacts): Limit[] {
  const limits: Limit[] = [...others];
  if (report?.privileged === false) {
    limits.push({
      code: 'unprivileged',
      message: "Processes of other users can't be read: a port held by one of them has an unknown holder.",
      cure: 'Run orphand by its unit (orphand install) or as root: it needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.',
    });
  } else if (report !== undefined && report.unreadable.length > 0) {
    const pids = new Set(report.unreadable.map(({ pid }) => pid)).size;
    limits.push({
      code: 'unreadable',
      message: `${pids} processes could not be read in the last sweep.`,
      cure: null,
    });
  }
  const acts = config.sweep.clean !== 'off';
  if (acts && !maySignal) {
    limits.push({
      code: 'cannot-signal',
      message: `sweep.clean is ${config.sweep.clean}, but processes of other users can't be ended.`,
      cure: 'Run orphand by its unit (orphand install) or as root: it needs CAP_KILL.',
    });
  }
  if (pidfd !== undefined) {
    limits.push({
      code: 'pidfd-unavailable',
      message: `There are no pidfds here (${pidfd}): nothing is ended, and the death of a supervisor is noticed at the next sweep only.`,
      cure: 'Linux 5.3 or newer, with pidfd_open and pidfd_send_signal allowed.',
    });
  }
  if (journal !== undefined) {
    limits.push({
      code: 'journal-not-writable',
      message: `Nothing is ended without a journal: ${journal}.`,
      cure: 'Make stateDirectory writable for orphand.',
    });
  }
  return [...limits, ...silentRuntimes(report)];
}

/** A runtime that does not answer matters where a process's fate hangs on it. */
function silentRuntimes(report: Report | undefined): Limit[] {
  if (report?.processes.some(({ reason }) => reason === 'runtime-silent') !== true) return [];
  return report.runtimes
    .filter(({ available }) => !available)
    .map(({ name, user, reason }) => ({
      code: 'runtime-silent',
      message: `${name} of ${user} does not answer: ${reason}. What it might own is a suspect, not an orphan.`,
      cure: null,
    }));
}
