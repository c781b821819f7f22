import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from '../command.ts';
import type { Context } from '../command.ts';
import type { Target } from './commands.ts';

/** Where to install or uninstall: --root DIR, or this host, which must then run systemd. Throws a UsageError. */
export function chooseTarget({ options }: Pick<Context, 'options'>): Target {
  const given = options['root'];
  if (typeof given === 'string') {
    const root = resolve(given);
    if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new UsageError(`--root ${JSON.stringify(given)}: no such directory`);
    }
    return { live: false, root };
  }
  if (options['dry-run'] === true) return { live: true };
  if (process.geteuid?.() !== 0)
    throw new UsageError('this changes the system: run it with sudo (or use --root DIR)');
  // sd_booted(3)
  if (statSync('/run/systemd/system', { throwIfNoEntry: false }) === undefined) {
    throw new UsageError(
      'systemd does not run here: --root / writes and enables the units without starting them',
    );
  }
  return { live: true };
}

/** The directory below which a target's absolute paths lie. */
export function rootOf(target: Target): string {
  return target.live ? '/' : target.root;
}
