import type { CommandSpec, OptionSpec } from '../command.ts';
import { commands, globalOptions } from '../commands.ts';

/** What completion offers for a value or an argument. */
export type Offer =
  | { kind: 'files' }
  | { kind: 'directories' }
  | { kind: 'words'; words: readonly string[] }
  /** A number or a time: nothing that could be listed. */
  | { kind: 'nothing' };

/** The options of a command, its own first. */
export function optionsOf(command: CommandSpec): OptionSpec[] {
  return [...command.options, ...globalOptions];
}

/** What the value of an option may be; undefined: it takes none. */
export function valueOffer({ value }: OptionSpec): Offer | undefined {
  switch (value) {
    case undefined:
      return undefined;
    case 'FILE':
      return { kind: 'files' };
    case 'DIR':
      return { kind: 'directories' };
    default:
      return { kind: 'nothing' };
  }
}

/** What the first argument of a command may be. */
export function argumentOffer({ name, choices, args }: CommandSpec): Offer {
  if (name === 'help') return { kind: 'words', words: commands.map((command) => command.name) };
  if (choices !== undefined) return { kind: 'words', words: choices };
  // `[port|pid] PORT|PID`: the words in lower case are meant as they are.
  const words = args.split(/[\s|[\]]+/).filter((word) => /^[a-z]+$/.test(word));
  return words.length === 0 ? { kind: 'nothing' } : { kind: 'words', words };
}
