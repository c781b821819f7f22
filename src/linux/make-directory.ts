import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory and those above it that are missing, all with `mode`; one that is there, or a link to one, is left as
 * it is. Throws with the code of mkdir(2) and a message of one line. Not mkdirSync's `recursive`, which never returns below
 * /proc (node 20): a file system that makes no directory says ENOENT, and it takes that for a missing parent, for ever.
 */
export function makeDirectory(path: string, mode: number): void {
  if (isDirectory(path)) return;
  const parent = dirname(path);
  // `.` and `/` are their own.
  if (parent !== path) makeDirectory(parent, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Somebody else was faster.
    if (code === 'EEXIST' && isDirectory(path)) return;
    if (code !== 'ENOENT') throw error;
    throw Object.assign(new Error(`ENOENT: no directory can be made in ${parent}`, { cause: error }), {
      code,
    });
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    // ENOTDIR, a file in the way, is said here. Not by throwIfNoEntry, which takes it for ENOENT from node 24 on.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
