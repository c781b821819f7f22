import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../../linux/make-directory.ts';
import type { Command } from './commands.ts';

/** A command of an installation failed, or a file of it could not be written; the message is one line. */
export class CommandFailedError extends Error {
  override readonly name = 'CommandFailedError';
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** A file's text below `root`; undefined when there is none. */
export function present(root: string, path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The directories above `path` that are not there yet, outermost first. */
export function missingDirectories(root: string, path: string): string[] {
  const missing: string[] = [];
  for (let at = dirname(path); at !== dirname(at); at = dirname(at)) {
    if (lstatSync(join(root, at), { throwIfNoEntry: false }) !== undefined) break;
    missing.unshift(at);
  }
  return missing;
}

/**
 * Writes a file that is whole or not there at all, mode 0644, with the directories that it needs. Throws a
 * CommandFailedError.
 */
export function write(root: string, path: string, text: string): void {
  const full = join(root, path);
  try {
    makeDirectory(dirname(full), 0o755);
    const temporary = `${full}.orphand-new`;
    writeFileSync(temporary, text, { mode: 0o644 });
    renameSync(temporary, full);
  } catch (error) {
    throw new CommandFailedError(`${full} could not be written (${(error as Error).message})`);
  }
}

/** Removes a file; one that has gone already is no error. */
export function remove(root: string, path: string): void {
  rmSync(join(root, path), { force: true });
}

/** Removes a directory if nothing is left in it. */
export function removeEmpty(root: string, path: string): boolean {
  try {
    rmdirSync(join(root, path));
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return false;
    if (codeOf(error) === 'ENOENT') return true;
    throw error;
  }
}

/** Runs a command to its end. Throws a CommandFailedError with what it said. */
export function execute([program, ...args]: Command): void {
  try {
    execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() ?? '';
    const why = codeOf(error) === 'ENOENT' ? 'no such program' : said.replaceAll(/\s*\n\s*/g, '; ');
    throw new CommandFailedError(`${[program, ...args].join(' ')}: ${why === '' ? String(error) : why}`);
  }
}

/** Whether /etc/passwd or /etc/group below `root` has an account `orphand`. */
export function hasAccount(root: string, file: string): boolean {
  return /^orphand:/m.test(present(root, file) ?? '');
}
