import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import type { CleanReport, Report } from '../model.ts';
import { cleanup } from '../reap/cleanup.ts';
import { CleanupRefusedError } from '../reap/refusal.ts';
import { stoppableClock } from '../reap/stoppable-clock.ts';
import { type BootRecord, writeBootRecord } from './boot-record.ts';
import { cleanText } from './clean-text.ts';
import { cleanupDeps } from './cleanup-deps.ts';
import type { Context } from './command.ts';
import { escape, jsonText } from './escape.ts';
import { line } from './format.ts';
import { catchInterruption } from './interruption.ts';

interface Outcome {
  report: CleanReport | undefined;
  /** The look on which it was refused. */
  seen: Report | undefined;
  error: string | null;
}

// What is signalled when the time is up gets its outcome into the journal.
const LAST_WORDS_MS = 5_000;

/** `orphand boot`: the clean-up before containers start. Exit code 1 only for an orphan that is left, whatever else holds a port. */
export async function run({ load, env, options, terminal }: Context): Promise<number> {
  const { config } = await load();
  const startedAt = new Date().toISOString();
  const began = performance.now();
  const { report, seen, error } = await cleanInTime(config, (remark) => {
    terminal.err(`orphand: ${escape(remark)}`);
  });
  const orphans =
    report?.remaining.filter(({ verdict }) => verdict === 'orphan').length ?? seen?.summary.orphan;
  // Of what was not even looked at nothing is known; with clean: off nothing was to be ended.
  const ok = config.boot.clean === 'off' ? error === null : orphans === 0;
  const durationMs = Math.round(performance.now() - began);
  const record: BootRecord = { schema: 1, startedAt, durationMs, ok, error, cleanup: report ?? null };
  const [directory = '/run/orphand'] = (env['RUNTIME_DIRECTORY'] ?? '/run/orphand').split(':');
  for (const failure of writeBootRecord(record, directory)) terminal.err(`orphand: ${escape(failure)}`);

  if (options['json'] === true) terminal.out(jsonText(record));
  else if (report !== undefined) terminal.out(cleanText(report, terminal));
  if (error !== null) terminal.err(line('fail', escape(error), terminal));
  return ok ? 0 : 1;
}

async function cleanInTime(config: Config, remark: (text: string) => void): Promise<Outcome> {
  const { clean, confirmAfterMs, timeoutMs } = config.boot;
  const interruption = catchInterruption(() => undefined);
  const timeUp = AbortSignal.timeout(timeoutMs);
  const deps = cleanupDeps(config, (progress) => {
    if (progress.kind === 'journal-failed') remark(`journal: ${progress.detail}`);
  });
  const late: Outcome = {
    report: undefined,
    seen: undefined,
    error: `not finished within ${timeoutMs / 1000} s (boot.timeout)`,
  };
  const work = cleanup(
    { ...deps, clock: stoppableClock(timeUp) },
    {
      trigger: 'boot',
      dryRun: clean === 'off',
      suspects: clean === 'suspects',
      confirmAfterMs,
      force: false,
      signal: AbortSignal.any([interruption.signal, timeUp]),
    },
  ).then(
    (report): Outcome => ({ report, seen: undefined, error: null }),
    (error: unknown): Outcome => {
      if (timeUp.aborted) return late;
      if (error instanceof CleanupRefusedError)
        return { report: undefined, seen: error.report, error: error.message };
      throw error;
    },
  );
  const waiting = new AbortController();
  try {
    // A look that hangs is left behind: containers wait for this.
    const longest = delay(timeoutMs + LAST_WORDS_MS, late, { signal: waiting.signal });
    return await Promise.race([work, longest]);
  } finally {
    waiting.abort();
    interruption.close();
  }
}
