import type { CommandSpec, OptionSpec } from './command.ts';
import { commands, commonExits, globalOptions } from './commands.ts';
import { paragraph, roff, roffArgument, tagged } from './roff.ts';

/** orphand(1), from the table that `--help` comes from. */
export function commandPage(version: string): string {
  return `${[
    '.\\" npm run docs writes this file from src/cli/commands.ts.',
    `.TH ORPHAND 1 "" ${roffArgument(`orphand ${version}`)} "User Commands"`,
    // A broken word could not be copied.
    '.nh',
    '.SH NAME',
    'orphand \\- end processes that outlived their container and hold its ports',
    '.SH SYNOPSIS',
    '.B orphand',
    '.I COMMAND',
    roff('[OPTIONS]'),
    '.SH DESCRIPTION',
    paragraph(
      "Finds processes that outlived their container and still hold the host's ports, proves it, and ends exactly those. What is alive is never ended: a process is signalled only if two looks agree on it, and only through its pidfd.",
    ),
    '.PP',
    paragraph('Run it as root to see the whole host. Each command has `--help`.'),
    '.SH OPTIONS',
    'Of every command, before and after its name:',
    ...globalOptions.map(optionText),
    '.SH COMMANDS',
    ...commands.flatMap(commandText),
    '.SH EXIT STATUS',
    'Besides those of each command:',
    ...commonExits.map(([code, meaning]) => tagged(`.B ${code}`, sentence(meaning))),
    '.SH ENVIRONMENT',
    ...environment.map(([name, text]) => tagged(`.B ${roff(name)}`, text)),
    '.SH FILES',
    ...files.map(([name, text]) => tagged(`.I ${roff(name)}`, text)),
    '.SH SEE ALSO',
    '.BR orphand.yaml (5),',
    '.BR podman (1),',
    '.BR docker (1),',
    '.BR systemd.service (5)',
  ].join('\n')}\n`;
}

const environment: readonly (readonly [string, string])[] = [
  ['ORPHAND_CONFIG', 'The configuration file, as `--config`.'],
  [
    'ORPHAND_KEY',
    'Any key of the configuration: `sweep.confirmAfter` is ORPHAND_SWEEP_CONFIRM_AFTER; see orphand.yaml(5). Options beat the environment, that beats the file.',
  ],
  ['ORPHAND_DEBUG', 'With `1` an internal error (exit status 3) shows where it happened.'],
  ['NO_COLOR', 'Not empty: no colours, as `--no-color`.'],
];

const files: readonly (readonly [string, string])[] = [
  [
    '/etc/orphand/config.yaml',
    'The configuration; without root, $XDG_CONFIG_HOME/orphand/config.yaml comes first.',
  ],
  ['/var/lib/orphand/journal.jsonl', 'The journal that `orphand history` shows.'],
  ['/run/orphand/orphand.sock', 'Control and API of the daemon.'],
  ['/run/orphand/boot.json', 'What `orphand boot` did.'],
];

function commandText(command: CommandSpec): string[] {
  const { name, summary, details, args, options, exit, passthrough } = command;
  const usage = [
    ...options.map(({ name: option, value }) => `[--${option}${value === undefined ? '' : ` ${value}`}]`),
    args,
    ...(passthrough === true ? ['[-- CMD...]'] : []),
  ].filter((part) => part !== '');
  return [
    `.SS ${roffArgument(`orphand ${name}`)}`,
    `.B ${roff(`orphand ${name}`)}`,
    ...(usage.length === 0 ? [] : [roff(usage.join(' '))]),
    '.PP',
    [sentence(summary), ...details].map(paragraph).join('\n.PP\n'),
    ...options.map(optionText),
    '.PP',
    'Exit status:',
    ...exit.map(([code, meaning]) => tagged(`.B ${code}`, sentence(meaning))),
  ];
}

function optionText({ name, short, value, help }: OptionSpec): string {
  const words = [
    ...(short === undefined ? [] : [`\\fB\\-${short}\\fR,`]),
    `\\fB${roff(`--${name}`)}\\fR`,
    ...(value === undefined ? [] : [`\\fI${roff(value)}\\fR`]),
  ];
  return tagged(words.join(' '), help);
}

/** `nothing is left` as a sentence of its own; a command's name in front stays as it is. */
function sentence(text: string): string {
  const first = /^(CMD|orphand)\b/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return first.endsWith('.') ? first : `${first}.`;
}
