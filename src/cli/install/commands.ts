import { contents, shutdownUnit } from './parts.ts';
import type { Part } from './parts.ts';

/** A program with its arguments, run without a shell. */
export type Command = readonly [string, ...string[]];

/** The host that runs, or the root directory of another one, in which nothing can be started. */
export type Target = { live: true } | { live: false; root: string };

/** What follows the files of an installation. */
export function installCommands(parts: readonly Part[], target: Target): Command[] {
  const enable = parts.flatMap((part) => contents[part].enable);
  if (!target.live) {
    return [
      ['systemd-sysusers', `--root=${target.root}`, 'orphand.conf'],
      ['systemctl', `--root=${target.root}`, 'enable', ...enable],
    ];
  }
  const run = (how: 'restart' | 'start'): Command[] =>
    parts
      .filter((part) => contents[part].run === how)
      .map((part) => ['systemctl', how, ...contents[part].enable]);
  return [
    ['systemd-sysusers', 'orphand.conf'],
    ['systemd-tmpfiles', '--create', 'orphand.conf'],
    ['systemctl', 'daemon-reload'],
    ['systemctl', 'enable', ...enable],
    ...run('restart'),
    ...run('start'),
  ];
}

/** What is done before the files of `units` are removed, and after. */
export function uninstallCommands(
  units: readonly string[],
  target: Target,
): { before: Command[]; after: Command[] } {
  const disable = (...where: string[]): Command[] =>
    units.length === 0 ? [] : [['systemctl', ...where, 'disable', ...units]];
  if (!target.live) return { before: disable(`--root=${target.root}`), after: [] };
  // The service before its sockets, which would start it again.
  const stop = units.filter((unit) => unit !== shutdownUnit).reverse();
  return {
    before: [...(stop.length === 0 ? [] : [['systemctl', 'stop', ...stop] as const]), ...disable()],
    after: [
      ['systemctl', 'daemon-reload'],
      // Its file has gone and its ExecStop= with it: this only makes systemd forget it.
      ...(units.includes(shutdownUnit) ? [['systemctl', 'stop', shutdownUnit] as const] : []),
    ],
  };
}

/** How the accounts of sysusers.d/orphand.conf are removed, each if its file still has it: userdel may take the group too. */
export function accountCommands(target: Target): { file: string; command: Command }[] {
  const where = target.live ? [] : ['--prefix', target.root];
  return [
    { file: '/etc/passwd', command: ['userdel', ...where, 'orphand'] },
    { file: '/etc/group', command: ['groupdel', ...where, 'orphand'] },
  ];
}
