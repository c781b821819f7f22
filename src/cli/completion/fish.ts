import type { OptionSpec } from '../command.ts';
import { commands, globalOptions } from '../commands.ts';
import { argumentOffer, valueOffer } from './words.ts';

/** What fish offers for the command line behind `--`. */
const completesCommand = [
  'function __orphand_command',
  '  set -l words (commandline -opc) (commandline -ct)',
  '  set -l at (contains -i -- -- $words)',
  "  complete -C (string join ' ' -- $words[(math $at + 1)..-1])",
  'end',
];

/** The completion of fish, for ~/.config/fish/completions/orphand.fish. */
export function fishCompletion(): string {
  return `${[
    '# fish completion for orphand',
    ...completesCommand,
    'complete -c orphand -f',
    ...globalOptions.map((option) => optionLine(option, undefined)),
    ...commands.map(
      ({ name, summary }) => `complete -c orphand -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`,
    ),
    ...commands.flatMap((command) => {
      const { name, options, passthrough } = command;
      const offer = argumentOffer(command);
      const here = `-n '__fish_seen_subcommand_from ${name}'`;
      return [
        ...options.map((option) => optionLine(option, name)),
        ...(offer.kind === 'words' ? [`complete -c orphand ${here} -a ${quote(offer.words.join(' '))}`] : []),
        // Behind -- is a command line of its own.
        ...(passthrough === true
          ? [
              `complete -c orphand -n '__fish_seen_subcommand_from ${name}; and contains -- -- (commandline -opc)' -x -a '(__orphand_command)'`,
            ]
          : []),
      ];
    }),
  ].join('\n')}
`;
}

function optionLine(option: OptionSpec, command: string | undefined): string {
  const { name, short, help } = option;
  const offer = valueOffer(option);
  return [
    'complete -c orphand',
    ...(command === undefined ? [] : [`-n '__fish_seen_subcommand_from ${command}'`]),
    `-l ${name}`,
    ...(short === undefined ? [] : [`-s ${short}`]),
    ...(offer === undefined ? [] : ['-r']),
    ...(offer?.kind === 'files' ? ['-F'] : []),
    ...(offer?.kind === 'directories' ? ["-a '(__fish_complete_directories)'"] : []),
    `-d ${quote(help)}`,
  ].join(' ');
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
