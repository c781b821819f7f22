import { ConfigError } from '../config/error.ts';
import type { Context } from './command.ts';
import { escape, jsonText } from './escape.ts';

/** `orphand config check|print|schema`. */
export async function run(context: Context): Promise<number> {
  const [what] = context.args;
  if (what === 'check') return await check(context);
  if (what === 'print') return await print(context);
  const { jsonSchema } = await import('../config/render.ts');
  context.terminal.out(jsonText(jsonSchema()));
  return 0;
}

async function check({ terminal, load, options }: Context): Promise<number> {
  const json = options['json'] === true;
  try {
    const { source } = await load();
    if (json) terminal.out(jsonText({ ok: true, source: source ?? null, problems: [] }));
    else if (source === undefined)
      terminal.out(`${terminal.sign('ok')} No configuration file: the defaults hold`);
    else terminal.out(`${terminal.sign('ok')} ${escape(source)} is valid`);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (json) terminal.out(jsonText({ ok: false, source: null, problems: error.problems }));
    else for (const problem of error.problems) terminal.err(`${terminal.sign('fail')} ${escape(problem)}`);
    return 2;
  }
}

async function print({ terminal, load, options }: Context): Promise<number> {
  const { config, source } = await load();
  const { toFile } = await import('../config/render.ts');
  const file = toFile(config);
  if (options['json'] === true) {
    terminal.out(jsonText(file));
    return 0;
  }
  const { stringify } = await import('yaml');
  terminal.out(
    `# The effective configuration${source === undefined ? ', no file was read' : ` of ${escape(source)}`}`,
  );
  terminal.out(stringify(file, { lineWidth: 0, aliasDuplicateObjects: false }).trimEnd());
  return 0;
}
