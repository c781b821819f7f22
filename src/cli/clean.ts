import type { CleanReport, Target } from '../model.ts';
import { cleanup } from '../reap/cleanup.ts';
import type { Progress } from '../reap/progress.ts';
import { CleanupRefusedError } from '../reap/refusal.ts';
import { cleanExitCode, cleanText } from './clean-text.ts';
import { cleanupDeps } from './cleanup-deps.ts';
import type { Context } from './command.ts';
import { Countdown } from './countdown.ts';
import { escape, jsonText } from './escape.ts';
import { findingLines, line } from './format.ts';
import { catchInterruption } from './interruption.ts';

/** `orphand clean`: two looks, end what both saw, prove it. */
export async function run({ load, options, terminal }: Context): Promise<number> {
  const { config } = await load();
  const json = options['json'] === true;
  const say = (lines: readonly string[]): void => {
    if (!json) for (const text of lines) terminal.out(text);
  };
  const shown = new Set<number>();
  const show = (targets: readonly Target[]): void => {
    for (const target of targets) {
      shown.add(target.identity.pid);
      say(findingLines({ ...target, pid: target.identity.pid }, config.ports, terminal));
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

  say([line('info', 'Scanning for orphaned stack processes...', terminal)]);
  try {
    const report = await cleanup(cleanupDeps(config, onProgress), {
      trigger: 'clean',
      dryRun: options['dry-run'] === true || config.clean.clean === 'off',
      suspects: options['suspects'] === true || config.clean.clean === 'suspects',
      ports: options['ports'] === undefined ? undefined : config.ports.map(({ port }) => port),
      confirmAfterMs: config.clean.confirmAfterMs,
      force: options['force'] === true,
      signal: interruption.signal,
    });
    countdown.stop();
    if (json) terminal.out(jsonText(report));
    else {
      say(unshown(report, shown).flatMap((process) => findingLines(process, report.scan.ports, terminal)));
      if (config.clean.clean === 'off')
        say([line('info', 'The configuration says clean.clean: off', terminal)]);
      say([cleanText(report, terminal)]);
    }
    const interrupted = interruption.exitCode();
    if (interrupted === undefined || phase.acting) return cleanExitCode(report);
    terminal.err('orphand: interrupted: nothing was ended');
    return interrupted;
  } catch (error) {
    if (!(error instanceof CleanupRefusedError)) throw error;
    countdown.stop();
    const { code, message, report } = error;
    if (json) terminal.out(jsonText({ refused: { code, message }, scan: report ?? null }));
    terminal.err(`orphand: nothing was ended: ${escape(message)}`);
    return 1;
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
