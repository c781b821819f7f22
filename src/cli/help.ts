import type { CommandSpec, Context, OptionSpec } from './command.ts';
import { UsageError } from './command.ts';
import { wrap } from './wrap.ts';
import { commandNamed, commands, commonExits, globalOptions } from './commands.ts';

/** `orphand help [COMMAND]` and `--help`. */
export function run({ args, terminal }: Context): Promise<number> {
  const [name] = args;
  const spec = name === undefined ? undefined : commandNamed(name);
  if (name !== undefined && spec === undefined)
    throw new UsageError(`unknown command ${JSON.stringify(name)}`);
  terminal.out(spec === undefined ? overview() : commandHelp(spec));
  return Promise.resolve(0);
}

/** The first page: what orphand is for, and its commands. */
export function overview(): string {
  return [
    'Usage: orphand COMMAND [OPTIONS]',
    '',
    "Finds processes that outlived their container and still hold the host's ports, proves it, and ends exactly those.",
    '',
    'Commands:',
    ...table(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Options of every command:',
    ...optionLines(globalOptions),
    '',
    'orphand COMMAND --help says more. Run as root to see the whole host.',
  ].join('\n');
}

/** One command's page. */
export function commandHelp(spec: CommandSpec): string {
  const usage = ['orphand', spec.name, '[OPTIONS]', spec.args, spec.passthrough === true ? '[-- CMD…]' : ''];
  return [
    `Usage: ${usage.filter((part) => part !== '').join(' ')}`,
    '',
    ...[`${spec.summary.charAt(0).toUpperCase()}${spec.summary.slice(1)}.`, ...spec.details].flatMap(
      (text) => [...wrap(text, 80), ''],
    ),
    'Options:',
    ...optionLines([...spec.options, ...globalOptions]),
    '',
    'Exit codes:',
    ...table([...spec.exit, ...commonExits].map(([code, meaning]) => [String(code), meaning])),
  ].join('\n');
}

function optionLines(options: readonly OptionSpec[]): string[] {
  return table(
    options.map(({ name, short, value, help }) => [
      `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`,
      help,
    ]),
  );
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`);
}
