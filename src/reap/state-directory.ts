import { closeSync, constants, fchownSync, fstatSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory } from '../linux/make-directory.ts';
import { CleanupRefusedError } from './refusal.ts';

/** Makes the state directory (0700) where it is missing; throws CleanupRefusedError `no-journal`. */
export function ensureStateDirectory(directory: string): void {
  try {
    makeDirectory(directory, 0o700);
  } catch (error) {
    throw unusable(directory, error);
  }
}

/**
 * Opens a file of the state directory, made with mode 0600 and the directory's owner: the CLI as root and the daemon as
 * its own user share them. The directory is not root's: no link is followed out of it, by name or by inode.
 */
export function openStateFile(path: string, flags: number): number {
  const { O_NOFOLLOW, O_NONBLOCK, O_CREAT, O_EXCL } = constants;
  let fd: number;
  let made = true;
  try {
    fd = openSync(path, flags | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    made = false;
    fd = openSync(path, flags | O_NOFOLLOW | O_NONBLOCK);
  }
  try {
    const file = fstatSync(fd);
    if (!file.isFile() || file.nlink > 1) throw new Error(`${path} is not a file of its own`);
    const owner = statSync(dirname(path));
    if (made && process.geteuid?.() === 0 && owner.uid !== 0) fchownSync(fd, owner.uid, owner.gid);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The refusal to end anything that would not be on record. */
export function unusable(directory: string, error: unknown): CleanupRefusedError {
  const why = error instanceof Error ? error.message : String(error);
  return new CleanupRefusedError(
    'no-journal',
    `the state directory ${directory} can't be written (${why}): nothing is ended without a journal; run as root, or set stateDirectory to a directory of yours ('' goes without a journal)`,
  );
}

/** Whether an error carries this errno name. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
