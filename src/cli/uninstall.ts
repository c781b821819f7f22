import { chownSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from './command.ts';
import { escape } from './escape.ts';
import { CommandFailedError, execute, hasAccount, present, remove, removeEmpty } from './install/apply.ts';
import { accountCommands, uninstallCommands } from './install/commands.ts';
import type { Command } from './install/commands.ts';
import { manifestPath, readManifest, sha256 } from './install/manifest.ts';
import { chooseTarget, rootOf } from './install/target.ts';

const state = '/var/lib/orphand';

/** `orphand uninstall`: takes back what `orphand install` wrote, and nothing else. */
export function run(context: Context): Promise<number> {
  const { options, terminal } = context;
  const target = chooseTarget(context);
  const root = rootOf(target);
  const manifest = readManifest(root);
  if (manifest === undefined) {
    terminal.out(`${terminal.sign('info')} Nothing to remove: \`orphand install\` has written nothing here`);
    return Promise.resolve(0);
  }
  const files = manifest.files.map(({ path, sha256: digest }) => {
    const there = present(root, path);
    return { path, changed: there !== undefined && sha256(there) !== digest };
  });
  const { before, after } = uninstallCommands(manifest.units, target);
  const accounts = manifest.userCreated ? accountCommands(target) : [];

  if (options['dry-run'] === true) {
    for (const command of before) terminal.out(`run ${command.join(' ')}`);
    for (const { path, changed } of files)
      terminal.out(`${changed ? 'keep (changed since)' : 'remove'} ${path}`);
    terminal.out(`remove ${manifestPath}`);
    for (const command of [...after, ...accounts.map((one) => one.command)]) {
      terminal.out(`run ${command.join(' ')}`);
    }
    return Promise.resolve(0);
  }

  const failures: string[] = [];
  // One that fails (a unit that somebody has removed already) must not keep the rest from being taken back.
  const attempt = (command: Command): void => {
    try {
      execute(command);
      terminal.out(`${terminal.sign('ok')} ${command.join(' ')}`);
    } catch (error) {
      if (!(error instanceof CommandFailedError)) throw error;
      failures.push(error.message);
      terminal.err(`${terminal.sign('fail')} ${escape(error.message)}`);
    }
  };
  before.forEach(attempt);
  for (const { path, changed } of files) {
    if (changed) {
      terminal.out(`${terminal.sign('info')} ${path}: kept, it was changed since`);
      continue;
    }
    remove(root, path);
    terminal.out(`${terminal.sign('ok')} ${path}: removed`);
  }
  remove(root, manifestPath);
  if (target.live) rmSync('/run/orphand', { recursive: true, force: true });
  // Innermost first; one in which something else lies stays.
  for (const path of [...manifest.directories].reverse()) removeEmpty(root, path);
  if (statSync(join(root, state), { throwIfNoEntry: false }) !== undefined && !removeEmpty(root, state)) {
    // Its user goes, and the number may be another's one day.
    if (manifest.userCreated && process.geteuid?.() === 0) chownSync(join(root, state), 0, 0);
    terminal.out(`${terminal.sign('info')} ${state}: kept, the journal of what was ended`);
  }
  after.forEach(attempt);
  for (const { file, command } of accounts) if (hasAccount(root, file)) attempt(command);
  return Promise.resolve(failures.length === 0 ? 0 : 1);
}
