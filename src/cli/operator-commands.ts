import type { CommandSpec } from './command.ts';
import { json, ports } from './common-options.ts';

/* The operator's day: what starts and stops a stack and looks back on it. Part of the table in commands.ts. */

/** `orphand stop`. */
export const stopCommand = {
  name: 'stop',
  summary: 'stop the stack, end what it leaves behind, prove that every watched port is free',
  details: [
    "Stops the stack's containers (containers.names, labels, projects) through podman or docker of whoever owns them, those of systemd units through systemd. With CMD, such as `-- podman-compose down`, CMD is run instead; a CMD that fails is reported, and the rest is done all the same.",
    'Then cleans up as stop.clean says (suspects included by default), and names whoever still holds a watched port and what would free it.',
  ],
  args: '',
  arity: [0, 0],
  options: [
    { name: 'dry-run', help: 'Say what would be stopped and ended, and do neither.' },
    { name: 'force', help: 'Go on though there are more targets than maxTargets.' },
    json,
  ],
  passthrough: true,
  exit: [
    [0, 'every watched port is free'],
    [1, 'a port is held: the last lines name the holder'],
    [130, 'interrupted: nothing was cleaned up'],
  ],
} as const satisfies CommandSpec;

/** `orphand preflight`. */
export const preflightCommand = {
  name: 'preflight',
  summary: 'check that the ports are free, clean up orphans, then become a command',
  details: [
    "Says of each port whether it is free, a live container's of the stack, an orphan's (which is ended, as preflight.clean says), or someone else's.",
    'With CMD, orphand becomes it (the same process, execve(2)) when every port is free, and does not start it otherwise. Fits ExecStartPre= without CMD, and ExecStart= with it.',
  ],
  args: '',
  arity: [0, 0],
  options: [
    { name: 'no-clean', help: 'End nothing, only look.' },
    { name: 'allow-live', help: 'Ports that a live container of the stack holds are as good as free.' },
    {
      name: 'wait',
      value: 'TIME',
      help: 'Wait so long for ports that are being let go, such as 30s (ORPHAND_PREFLIGHT_WAIT).',
      key: 'preflight.wait',
    },
    ports,
    json,
  ],
  passthrough: true,
  exit: [
    [0, 'every port is free; with CMD: what CMD returns'],
    [1, 'a port is held: the last lines name the holder; CMD was not started'],
    [126, 'CMD may not be executed'],
    [127, 'there is no such CMD'],
    [130, 'interrupted; CMD was not started'],
  ],
} as const satisfies CommandSpec;

/** `orphand history`. */
export const historyCommand = {
  name: 'history',
  summary: 'show the clean-ups on record, newest first',
  details: [
    'The journal in stateDirectory: who was ended, why, by which signals, and what came of it. A clean-up that its orphand did not live to finish is shown as interrupted.',
  ],
  args: '',
  arity: [0, 0],
  options: [
    { name: 'since', value: 'WHEN', help: 'Only from then on: 2h, 7d, 2026-11-25, 2026-11-25T08:00:00Z.' },
    json,
  ],
  exit: [
    [0, 'shown, or there is none'],
    [1, 'the journal may not be read'],
  ],
} as const satisfies CommandSpec;

/** `orphand doctor`. */
export const doctorCommand = {
  name: 'doctor',
  summary: 'say what limits orphand on this host, each with its cure',
  details: [
    'Looks at privileges, the mount of /proc, pidfds and seccomp, cgroups, the state directory, whether podman and docker answer, what makes podman forget what runs (its alive file, a logout without linger), units with KillMode=none, its own units, and the clock. Changes nothing.',
  ],
  args: '',
  arity: [0, 0],
  options: [json],
  exit: [
    [0, 'nothing limits it'],
    [1, 'something can not be seen or done: each with its cure'],
  ],
} as const satisfies CommandSpec;

/** `orphand init`. */
export const initCommand = {
  name: 'init',
  summary: 'write a commented configuration, of the stack that runs or of a compose file',
  details: [
    "Without a source it is the reference's stack, or what the file says already. Settings of a file that is there are carried over; the difference is shown, and asked about on a terminal, before it is overwritten.",
  ],
  args: '',
  arity: [0, 0],
  options: [
    {
      name: 'from-running',
      help: "Learn from the containers that run and share the host's network: names, labels, ports, patterns.",
    },
    {
      name: 'compose',
      value: 'FILE',
      help: 'Learn from the services of a compose file that have network_mode: host.',
    },
    {
      name: 'output',
      short: 'o',
      value: 'FILE',
      help: 'Write this file, - for standard output; else --config, else the usual one.',
    },
    { name: 'force', help: 'Overwrite a file that is there without asking.' },
  ],
  exit: [
    [0, 'written, or there is nothing to change'],
    [1, 'not written: nothing was learned, or a file is there'],
  ],
} as const satisfies CommandSpec;

/** `orphand completion`. */
export const completionCommand = {
  name: 'completion',
  summary: 'print a completion script for a shell',
  details: [
    'bash: orphand completion bash >/usr/share/bash-completion/completions/orphand',
    'zsh: orphand completion zsh >/usr/local/share/zsh/site-functions/_orphand',
    'fish: orphand completion fish >~/.config/fish/completions/orphand.fish',
  ],
  args: 'bash|zsh|fish',
  arity: [1, 1],
  choices: ['bash', 'zsh', 'fish'],
  options: [],
  exit: [[0, 'printed']],
} as const satisfies CommandSpec;
