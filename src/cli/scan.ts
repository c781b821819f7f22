import { createLooker } from '../report/look.ts';
import { exitCodeOf } from './attention.ts';
import type { Context } from './command.ts';
import { jsonText } from './escape.ts';
import { line, scanText } from './format.ts';

/** `orphand scan`: looks once and reports; exit code 0 where nothing needs attention. */
export async function run({ load, options, terminal }: Context): Promise<number> {
  const { config } = await load();
  const json = options['json'] === true;
  if (!json) terminal.out(line('info', 'Scanning for orphaned stack processes...', terminal));
  const report = await createLooker({ config, cli: true })();
  terminal.out(json ? jsonText(report) : scanText(report, options['all'] === true, terminal));
  return exitCodeOf(report);
}
