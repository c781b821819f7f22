import { CleanupRefusedError } from '../reap/refusal.ts';
import { cleanExitCode, cleanText } from './clean-text.ts';
import type { Context } from './command.ts';
import { escape, jsonText } from './escape.ts';
import { line } from './format.ts';
import { showCleanup } from './show-cleanup.ts';

/** `orphand clean`: two looks, end what both saw, prove it. */
export async function run({ load, options, terminal }: Context): Promise<number> {
  const { config } = await load();
  const json = options['json'] === true;
  const say = (text: string): void => {
    if (!json) terminal.out(text);
  };
  say(line('info', 'Scanning for orphaned stack processes...', terminal));
  try {
    const { report, interrupted } = await showCleanup(
      config,
      {
        trigger: 'clean',
        dryRun: options['dry-run'] === true || config.clean.clean === 'off',
        suspects: options['suspects'] === true || config.clean.clean === 'suspects',
        ports: options['ports'] === undefined ? undefined : config.ports.map(({ port }) => port),
        confirmAfterMs: config.clean.confirmAfterMs,
        force: options['force'] === true,
      },
      terminal,
      say,
    );
    if (json) terminal.out(jsonText(report));
    if (config.clean.clean === 'off') say(line('info', 'The configuration says clean.clean: off', terminal));
    say(cleanText(report, terminal));
    if (interrupted === undefined) return cleanExitCode(report);
    terminal.err('orphand: interrupted: nothing was ended');
    return interrupted;
  } catch (error) {
    if (!(error instanceof CleanupRefusedError)) throw error;
    const { code, message, report } = error;
    if (json) terminal.out(jsonText({ refused: { code, message }, scan: report ?? null }));
    terminal.err(`orphand: nothing was ended: ${escape(message)}`);
    return 1;
  }
}
