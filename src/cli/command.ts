import type { Loaded } from '../config/load.ts';
import type { Terminal } from './terminal.ts';

/** An option as the table of commands describes it; help, completion and man pages come from the same. */
export interface OptionSpec {
  /** Without the dashes. */
  name: string;
  short?: string;
  /** What the value is called in help; absent: the option takes none. */
  value?: string;
  help: string;
  /** The key of the configuration that the value stands for, which then checks it. */
  key?: string;
  /** The value is a list: given twice, both count. */
  list?: boolean;
}

export interface CommandSpec {
  name: string;
  /** One line, for the list of commands. */
  summary: string;
  /** Paragraphs that follow it in the command's own help. */
  details: readonly string[];
  /** Usage of the arguments: `PORT|PID`; empty: none. */
  args: string;
  /** How many arguments there may be. */
  arity: readonly [least: number, most: number];
  /** What an argument may be, where only a few words are right. */
  choices?: readonly string[];
  options: readonly OptionSpec[];
  /** Takes `-- CMD…`. */
  passthrough?: boolean;
  exit: readonly (readonly [code: number, meaning: string])[];
}

/** A command line that was understood. */
export interface Invocation {
  command: string;
  options: Readonly<Record<string, string | true>>;
  args: readonly string[];
  /** After `--`, for commands that take it. */
  rest: readonly string[];
}

/** What a command gets to work with. */
export interface Context extends Invocation {
  terminal: Terminal;
  env: Readonly<Record<string, string | undefined>>;
  /** The effective configuration, options on the command line included. Throws a ConfigError. */
  load: () => Promise<Loaded>;
}

/** A command's module: does it and answers the exit code. */
export interface CommandModule {
  run(context: Context): Promise<number>;
}

/** The command line can't be understood; the message is one line that names what and says what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
