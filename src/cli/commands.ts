import type { CommandSpec, OptionSpec } from './command.ts';
import { json, ports } from './common-options.ts';
import {
  completionCommand,
  doctorCommand,
  historyCommand,
  initCommand,
  preflightCommand,
  stopCommand,
} from './operator-commands.ts';

/** Options of every command, allowed before and after its name. */
export const globalOptions: readonly OptionSpec[] = [
  { name: 'config', value: 'FILE', help: 'Read this configuration file (ORPHAND_CONFIG).' },
  { name: 'no-color', help: 'No colours, as with NO_COLOR=1.' },
  { name: 'help', short: 'h', help: 'Show help.' },
  { name: 'version', short: 'V', help: 'Show the version.' },
];

const root = {
  name: 'root',
  value: 'DIR',
  help: 'The system below DIR instead of this one; nothing is started.',
} as const;

const table = [
  {
    name: 'scan',
    summary: 'report every watched port and every process in scope; changes nothing',
    details: [
      'Each process gets a verdict (orphan, suspect, container, helper, host, unknown) and a reason.',
    ],
    args: '',
    arity: [0, 0],
    options: [json, { name: 'all', help: 'List live containers and host processes too.' }, ports],
    exit: [
      [0, 'no orphan, no suspect, nothing unknown'],
      [1, 'something to look at'],
    ],
  },
  {
    name: 'clean',
    summary: 'end proven orphans, free their ports, prove it',
    details: [
      'A process is ended only if two looks agree on it, and only through its pidfd: SIGTERM, then SIGKILL after the grace period.',
    ],
    args: '',
    arity: [0, 0],
    options: [
      { name: 'dry-run', help: 'Say what would be ended, and end nothing.' },
      { name: 'suspects', help: 'End suspects too: strong evidence, no proof.' },
      ports,
      json,
      { name: 'force', help: 'Go on though there are more targets than maxTargets.' },
      {
        name: 'grace-period',
        value: 'TIME',
        help: 'Between SIGTERM and SIGKILL, such as 5s (ORPHAND_GRACE_PERIOD).',
        key: 'gracePeriod',
      },
      {
        name: 'confirm-after',
        value: 'TIME',
        help: 'Between the two looks, such as 2s (ORPHAND_CLEAN_CONFIRM_AFTER).',
        key: 'clean.confirmAfter',
      },
    ],
    exit: [
      [0, 'nothing is left to clean'],
      [1, 'something is left: the summary names it'],
      [130, 'interrupted while waiting: nothing was ended'],
    ],
  },
  stopCommand,
  preflightCommand,
  {
    name: 'serve',
    summary: 'run the daemon: sweeps, HTTP API, metrics, status page',
    details: [
      'Sweeps by sweep.schedule and only reports, unless sweep.clean says what it may end. Serves http.listen and the unix socket http.socket, or the sockets that systemd passes in.',
      'SIGHUP reads the configuration again; SIGTERM and SIGINT stop it within 5 seconds.',
    ],
    args: '',
    arity: [0, 0],
    options: [],
    exit: [
      [0, 'stopped by a signal'],
      [1, 'a socket is in use, or could not be opened'],
    ],
  },
  {
    name: 'status',
    summary: 'ask the running daemon how it is and what it has found',
    details: ['Asks over the unix socket (http.socket), else over http.listen.'],
    args: '',
    arity: [0, 0],
    options: [json],
    exit: [
      [0, 'it is well and found no orphan, no suspect, nothing unknown'],
      [1, 'something to look at, or no daemon runs'],
    ],
  },
  {
    name: 'boot',
    summary: 'clean up once before containers start, in bounded time (orphand-boot.service)',
    details: [
      'As clean, with the settings under boot. What it did is left in /run/orphand/boot.json and, where node_exporter reads text files, in orphand_boot.prom.',
    ],
    args: '',
    arity: [0, 0],
    options: [json],
    exit: [
      [0, 'no orphan is left, or nothing may be ended'],
      [1, 'an orphan survived'],
    ],
  },
  {
    name: 'explain',
    summary: 'say who holds a port, or what a process is: the chain, the evidence, the cure',
    details: [
      'A number is a port if it is watched or held, else a process id; `explain port N` and `explain pid N` say which.',
      'Shows the sockets and their connections, each holder with the processes above it, what the runtime says, the evidence, what would end with it, and which container in a crash loop waits for the port.',
    ],
    args: '[port|pid] PORT|PID',
    arity: [1, 2],
    options: [json],
    exit: [
      [0, 'explained'],
      [1, 'nothing is there'],
    ],
  },
  historyCommand,
  doctorCommand,
  initCommand,
  {
    name: 'config',
    summary: 'check the configuration, or print the effective one or its JSON Schema',
    details: [],
    args: 'check|print|schema',
    arity: [1, 1],
    choices: ['check', 'print', 'schema'],
    options: [json],
    exit: [
      [0, 'the configuration is valid'],
      [2, 'it is not: each problem with its line'],
    ],
  },
  {
    name: 'install',
    summary: 'write and enable the systemd units, with the configuration and the user that they need',
    details: [
      'Without a choice: --boot --daemon. Nothing that is there is overwritten unless orphand wrote it; a second run changes nothing.',
    ],
    args: '',
    arity: [0, 0],
    options: [
      { name: 'boot', help: 'Clean up once per boot, before containers start.' },
      { name: 'daemon', help: 'The daemon, with its control socket and HTTP on 127.0.0.1:9713.' },
      { name: 'timer', help: 'Instead of the daemon: clean up every five minutes.' },
      { name: 'shutdown', help: 'Clean up at shutdown, before the runtimes stop.' },
      {
        name: 'full-root',
        help: "Give the daemon root's power over files: cgroup.kill, the runtimes' sockets.",
      },
      root,
      { name: 'dry-run', help: 'Print every file and command, and do nothing.' },
    ],
    exit: [
      [0, 'installed'],
      [1, 'a command failed: the last line names it'],
    ],
  },
  {
    name: 'uninstall',
    summary: 'take back what install wrote, and nothing else',
    details: ['Files that were changed since stay, and so does the journal in /var/lib/orphand.'],
    args: '',
    arity: [0, 0],
    options: [root, { name: 'dry-run', help: 'Print what would be removed, and do nothing.' }],
    exit: [
      [0, 'removed, or nothing was there'],
      [1, 'a command failed, the rest was done'],
    ],
  },
  completionCommand,
  {
    name: 'version',
    summary: 'show the version',
    details: [],
    args: '',
    arity: [0, 0],
    options: [],
    exit: [[0, 'always']],
  },
  {
    name: 'help',
    summary: 'show help for orphand or for one command',
    details: [],
    args: '[COMMAND]',
    arity: [0, 1],
    options: [],
    exit: [[0, 'always']],
  },
] as const satisfies readonly CommandSpec[];

/** Every command: parsing, help, completion and man pages come from this table. */
export const commands: readonly CommandSpec[] = table;

export type CommandName = (typeof table)[number]['name'];

/** A command by its name. */
export function commandNamed(name: string): CommandSpec | undefined {
  return commands.find((command) => command.name === name);
}

/** Exit codes that mean the same for every command. */
export const commonExits = [
  [2, 'the command line or the configuration is wrong; nothing was done'],
  [3, 'orphand failed (ORPHAND_DEBUG=1 shows where)'],
] as const;
