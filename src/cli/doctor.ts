import { Host } from '../container/runtimes/host.ts';
import type { Context } from './command.ts';
import { diagnose } from './doctor/checks.ts';
import type { Finding } from './doctor/finding.ts';
import { readFacts } from './doctor/read.ts';
import { escape, jsonText } from './escape.ts';
import { line } from './format.ts';
import type { Tone } from './terminal.ts';
import { count } from './words.ts';

const tones: Readonly<Record<Finding['level'], Tone>> = { ok: 'ok', note: 'info', limit: 'fail' };

/** `orphand doctor`: what limits orphand on this host, each with its cure. */
export async function run({ load, options, terminal }: Context): Promise<number> {
  const { config } = await load();
  const findings = diagnose(await readFacts(config, { root: '/proc' }, new Host('/', process.env)));
  const limits = findings.filter(({ level }) => level === 'limit').length;
  if (options['json'] === true) {
    terminal.out(jsonText({ schema: 1, ok: limits === 0, findings }));
    return limits === 0 ? 0 : 1;
  }
  for (const { code, level, message, cure } of findings) {
    terminal.out(line(tones[level], `${terminal.strong(code)}: ${escape(message)}`, terminal));
    if (cure !== null) terminal.out(`    Cure: ${escape(cure)}`);
  }
  const verdict = limits === 0 ? 'Nothing limits orphand here' : `${count(limits, 'limit')} to look at`;
  terminal.out(line(limits === 0 ? 'ok' : 'fail', verdict, terminal));
  return limits === 0 ? 0 : 1;
}
