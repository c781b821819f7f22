import type { Config } from '../config/config.ts';
import type { CleanReport, Target } from '../model.ts';
import { cleanup } from '../reap/cleanup.ts';
import type { CleanupOptions } from '../reap/cleanup.ts';
import type { Progress } from '../reap/progress.ts';
import { cleanupDeps } from './cleanup-deps.ts';
import { Countdown } from './countdown.ts';
import { escape } from './escape.ts';
import { findingLines } from './format.ts';
import { catchInterruption } from './interruption.ts';
import type { Terminal } from './terminal.ts';

/** A clean-up that a person watched. */
export interface ShownCleanup {
  report: CleanReport;
  /** 128 and the signal's number, where one came in time: nothing was ended. */
  interrupted: number | undefined;
}

/**
 * Runs a clean-up from the command line and shows it as it goes on: what was found, before the wait; what is waited for;
 * what went wrong. `say` takes the findings. Ctrl-C before the first signal gives up, later it is too late. Throws
 * CleanupRefusedError.
 */
export async function showCleanup(
  config: Config,
  options: CleanupOptions,
  terminal: Terminal,
  say: (line: string) => void,
): Promise<ShownCleanup> {
  const shown = new Set<number>();
  const show = (targets: readonly Target[]): void => {
    for (const target of targets) {
      const { pid } = target.identity;
      shown.add(pid);
      for (const text of findingLines({ ...target, pid }, config.ports, terminal)) say(text);
    }
  };
  const countdown = new Countdown(terminal);
  const phase = { acting: false };
  const onProgress = (progress: Progress): void => {
    countdown.stop();
    if (progress.kind === 'second-look-wait') show(progress.targets);
    else phase.acting = true;
    if (progress.kind === 'released' && progress.error !== null) {
      terminal.err(
        `orphand: its runtime did not let go of ${progress.target.identity.pid}: ${escape(progress.error)}`,
      );
    }
    if (progress.kind === 'journal-failed') terminal.err(`orphand: journal: ${escape(progress.detail)}`);
    countdown.show(progress);
  };
  const interruption = catchInterruption(() => {
    if (phase.acting) terminal.err('orphand: finishing what was begun');
  });
  try {
    const report = await cleanup(cleanupDeps(config, onProgress), {
      ...options,
      signal: interruption.signal,
    });
    countdown.stop();
    for (const process of unshown(report, shown)) {
      for (const text of findingLines(process, report.scan.ports, terminal)) say(text);
    }
    return { report, interrupted: phase.acting ? undefined : interruption.exitCode() };
  } finally {
    countdown.stop();
    interruption.close();
  }
}

/** What was acted on, or would be, without a wait in which it could be shown. */
function unshown(
  { actions, scan }: CleanReport,
  shown: ReadonlySet<number>,
): CleanReport['scan']['processes'] {
  return scan.processes.filter(({ pid }) => !shown.has(pid) && actions.some((action) => action.pid === pid));
}
