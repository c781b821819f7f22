import { ConfigError } from '../config/error.ts';
import type { Override } from '../config/overrides.ts';
import { UsageError } from './command.ts';
import type { CommandModule, Invocation, OptionSpec } from './command.ts';
import { commandNamed } from './commands.ts';
import type { CommandName } from './commands.ts';
import { escape } from './escape.ts';
import { parse } from './parse.ts';
import { openTerminal } from './terminal.ts';
import type { Sink, Terminal } from './terminal.ts';

/** What loads each command's module: a command costs the start of no other. */
export type Loaders = Readonly<Record<CommandName, () => Promise<CommandModule>>>;

/** The outside of a run. */
export interface Outside {
  env: Readonly<Record<string, string | undefined>>;
  stdout: Sink;
  stderr: Sink;
}

/** Runs one command line (without node and script) and answers the exit code: never throws. */
export async function main(
  argv: readonly string[],
  loaders: Loaders,
  { env, stdout, stderr }: Outside,
): Promise<number> {
  let terminal = openTerminal(stdout, stderr, env, true);
  try {
    if (argv.length === 0) {
      const { overview } = await import('./help.ts');
      terminal.err(overview());
      return 2;
    }
    const invocation = parse(argv);
    terminal = openTerminal(stdout, stderr, env, invocation.options['no-color'] === true);
    const command = await loaders[invocation.command as CommandName]();
    const load = async () => {
      const { loadConfig } = await import('../config/load.ts');
      return await loadConfig({ path: pathOf(invocation), env, flags: overridesOf(invocation) });
    };
    return await command.run({ ...invocation, terminal, env, load });
  } catch (error) {
    return explainFailure(error, terminal, env);
  }
}

function pathOf({ options }: Invocation): string | undefined {
  const path = options['config'];
  return typeof path === 'string' ? path : undefined;
}

/** Options that stand for a key of the configuration. */
function overridesOf({ command, options }: Invocation): Override[] {
  const specs: readonly OptionSpec[] = commandNamed(command)?.options ?? [];
  return specs.flatMap(({ name, key }) => {
    const text = options[name];
    return key === undefined || typeof text !== 'string' ? [] : [{ key, text, label: `--${name}` }];
  });
}

function explainFailure(error: unknown, terminal: Terminal, env: Outside['env']): number {
  if (error instanceof UsageError) {
    terminal.err(`orphand: ${escape(error.message)}`);
    return 2;
  }
  if (error instanceof ConfigError) {
    const more = error.problems.length - 1;
    const rest = more === 0 ? '' : ` (and ${more} more: orphand config check)`;
    terminal.err(`orphand: ${escape(error.message)}${rest}`);
    return 2;
  }
  const failure = error instanceof Error ? error : new Error(String(error));
  terminal.err(`orphand: internal error: ${escape(failure.message)}`);
  if (env['ORPHAND_DEBUG'] === '1') {
    for (const frame of (failure.stack ?? '').split('\n')) terminal.err(escape(frame));
  }
  return 3;
}
