import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';

/** What reading a runtime's record gave: gone is an answer, unreadable is none. */
export type RecordFile =
  | { state: 'read'; text: string; /** ms since the epoch */ mtimeMs: number }
  | { state: 'gone' }
  | { state: 'unreadable'; code: string };

// The largest containers.json seen had 600 containers and 500 KiB.
const LIMIT = 64 * 1024 * 1024;

/**
 * Reads a runtime's record file. Rootless stores belong to their users: a FIFO planted there would block the daemon for
 * ever and a device never end, so that only a regular file of a bounded size is read.
 */
export function readRecordFile(path: string): RecordFile {
  let fd: number | undefined;
  try {
    // Most of what is looked for is not there, and an error costs more than a look.
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return { state: 'gone' };
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stat = fstatSync(fd);
    if (!stat.isFile()) return { state: 'unreadable', code: 'not a file' };
    if (stat.size > LIMIT) return { state: 'unreadable', code: 'EFBIG' };
    return { state: 'read', text: readFileSync(fd, 'utf8'), mtimeMs: stat.mtimeMs };
  } catch (error) {
    const code = errorCode(error);
    // ENOTDIR: a directory on the way is not one, so that the file is as gone as with ENOENT.
    return code === 'ENOENT' || code === 'ENOTDIR' ? { state: 'gone' } : { state: 'unreadable', code };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The errno name of a failed system call, or the error's class. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'unknown';
}

/** A pid as podman and conmon write it into a file: digits and perhaps a newline; anything else is undefined. */
export function parsePid(text: string): number | undefined {
  return /^[1-9]\d{0,9}\n?$/.test(text) ? Number(text) : undefined;
}
