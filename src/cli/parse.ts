import { parseArgs } from 'node:util';
import { closest } from '../config/closest.ts';
import { cut } from './escape.ts';
import { commandNamed, commands, globalOptions } from './commands.ts';
import { UsageError } from './command.ts';
import type { CommandSpec, Invocation, OptionSpec } from './command.ts';

/**
 * Reads a command line (without node and script). Throws a UsageError. parseArgs splits it into tokens; what the tokens
 * may be is checked here, because its strict mode names neither the nearest option nor the command.
 */
export function parse(argv: readonly string[]): Invocation {
  const { tokens } = parseArgs({
    args: [...argv],
    options: parseArgsOptions(),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const end = tokens.find((token) => token.kind === 'option-terminator')?.index ?? Number.POSITIVE_INFINITY;
  const positionals = tokens.filter((token) => token.kind === 'positional');
  const name = positionals[0];
  const given = tokens.filter((token) => token.kind === 'option');

  const spec = name === undefined ? undefined : commandNamed(name.value);
  if (name !== undefined && spec === undefined) throw unknownCommand(name.value);

  const options: Record<string, string | true> = {};
  for (const token of given) {
    const option = findOption(token.name, token.rawName, spec);
    options[option.name] = valueOf(option, token, options[option.name]);
  }
  if (options['version'] === true) return { command: 'version', options, args: [], rest: [] };
  if (options['help'] === true) {
    return { command: 'help', options, args: spec === undefined ? [] : [spec.name], rest: [] };
  }
  if (name === undefined || spec === undefined) throw new UsageError('no command given: see orphand --help');
  const passed = spec.passthrough === true ? positionals.filter(({ index }) => index > end) : [];
  const args = positionals.slice(1, positionals.length - passed.length).map(({ value }) => value);
  checkArguments(spec, args);
  return { command: spec.name, options, args, rest: passed.map(({ value }) => value) };
}

/** Every option of every command: the same word takes a value everywhere or nowhere (a test sees to it). */
function parseArgsOptions(): Record<string, { type: 'string' | 'boolean'; short?: string }> {
  const all = [...globalOptions, ...commands.flatMap((command) => command.options)];
  return Object.fromEntries(
    all.map(({ name, short, value }) => [
      name,
      { type: value === undefined ? 'boolean' : 'string', ...(short !== undefined && { short }) },
    ]),
  );
}

function findOption(name: string, rawName: string, spec: CommandSpec | undefined): OptionSpec {
  const allowed: readonly OptionSpec[] = [...globalOptions, ...(spec?.options ?? [])];
  const found = allowed.find((option) => option.name === name);
  if (found !== undefined) return found;
  const shown = JSON.stringify(cut(rawName, 60));
  const elsewhere = commands.some((command) => command.options.some((option) => option.name === name));
  if (elsewhere) {
    throw new UsageError(
      spec === undefined ? `${shown} belongs behind a command` : `"${spec.name}" has no option ${shown}`,
    );
  }
  const near = closest(
    name,
    allowed.map((option) => option.name),
  );
  throw new UsageError(`unknown option ${shown}${near === undefined ? '' : `, did you mean "--${near}"?`}`);
}

function valueOf(
  option: OptionSpec,
  token: { rawName: string; value?: string | undefined; inlineValue?: boolean | undefined },
  before: string | true | undefined,
): string | true {
  if (option.value === undefined) {
    if (token.value !== undefined) throw new UsageError(`--${option.name} takes no value`);
    return true;
  }
  // `--ports --json` forgot the value; `--ports=-1` means it, and is refused for what it is.
  const missing =
    token.value === undefined ||
    token.value === '' ||
    (token.inlineValue === false && token.value.startsWith('-') && token.value.length > 1);
  if (missing || token.value === undefined)
    throw new UsageError(`--${option.name} needs a value: ${option.value}`);
  return option.list === true && typeof before === 'string' ? `${before},${token.value}` : token.value;
}

function checkArguments(spec: CommandSpec, args: readonly string[]): void {
  const [least, most] = spec.arity;
  const usage = `orphand ${spec.name}${spec.args === '' ? '' : ` ${spec.args}`}`;
  const surplus = args[most];
  if (surplus !== undefined) {
    throw new UsageError(`"${spec.name}" does not take ${JSON.stringify(cut(surplus, 60))}: ${usage}`);
  }
  if (args.length < least) throw new UsageError(`"${spec.name}" needs an argument: ${usage}`);
  for (const argument of args) {
    if (spec.choices === undefined || spec.choices.includes(argument)) continue;
    const near = closest(argument, spec.choices);
    const hint = near === undefined ? `: ${usage}` : `, did you mean ${JSON.stringify(near)}?`;
    throw new UsageError(`"${spec.name}" has no ${JSON.stringify(cut(argument, 60))}${hint}`);
  }
}

function unknownCommand(word: string): UsageError {
  const near = closest(
    word,
    commands.map(({ name }) => name),
  );
  const hint = near === undefined ? ': see orphand --help' : `, did you mean ${JSON.stringify(near)}?`;
  return new UsageError(`unknown command ${JSON.stringify(cut(word, 60))}${hint}`);
}
