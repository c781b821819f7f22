import {
  closeSync,
  constants,
  opendirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs';
import type { Steps } from './steps.ts';

/** Where procfs is mounted: `{ root: '/proc' }`, or a built tree in a test. */
export interface ProcFs {
  readonly root: string;
}

/** A file of procfs that exists and may not, or can not, be read: a fact to record, never to guess around. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
  /** `/proc/12/fd` */
  readonly file: string;
  /** errno name: EACCES, EPERM, EIO, EMFILE … */
  readonly code: string;

  constructor(file: string, code: string) {
    super(`${file}: ${code}`);
    this.file = file;
    this.code = code;
  }
}

/** Kernel text that is not what proc(5) promises, where nothing in it can be used. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
  readonly file: string;

  constructor(file: string, what: string) {
    super(`${file}: ${what}`);
    this.file = file;
  }
}

// Every read here is synchronous, so that one buffer serves them all. A seq_file gives at most a page per
// read(2), so that a larger one would not save calls.
const chunk = Buffer.allocUnsafe(64 * 1024);

// A seq_file fills a page (4 KiB at least) with lines as long as there are any (seq_read_iter in fs/seq_file.c): one that
// had room for another line was at the end. To ask again costs 0.8 ms where it makes the kernel look for connections.
const PAGE = 4096;
const LONGEST_LINE = 512;

const TOO_LONG = Symbol('longer than the buffer');

/** What a file of procfs holds, at most about `limit` bytes of it; gone (ENOENT, ESRCH) is `undefined`, any other errno an UnreadableError. */
export function readBytes(proc: ProcFs, path: string, limit = Infinity): Buffer | undefined {
  const parts: Buffer[] = [];
  let size = 0;
  const found = eachChunk(proc, path, (bytes) => {
    parts.push(Buffer.from(bytes));
    size += bytes.length;
    return size < limit;
  });
  if (!found) return undefined;
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts);
}

/** The same as text; bytes that are not UTF-8 (anyone may name a process) become U+FFFD. */
export function readText(proc: ProcFs, path: string): string | undefined {
  return readBytes(proc, path)?.toString('utf8');
}

/**
 * The same of a file that one read(2) returns whole, because the kernel makes it in one piece (single_open in fs/proc:
 * stat, status, cgroup) or copies all there is (cmdline): to ask for its end as well would cost a tenth of a whole scan.
 */
export function readRecord(proc: ProcFs, path: string, limit = Infinity): string | undefined {
  const text = withOpen(proc, path, (fd) => {
    const length = readSync(fd, chunk, 0, chunk.length, null);
    return length < chunk.length ? chunk.toString('utf8', 0, length) : TOO_LONG;
  });
  // `status` of a process with thousands of groups, a command line with thousands of files.
  return text === TOO_LONG ? readBytes(proc, path, limit)?.toString('utf8') : text;
}

/** Calls `visit` with each line (ASCII, no newline) until it answers false, reading no further than that; returns false when the file is gone. */
export function eachLine(proc: ProcFs, path: string, visit: (line: string) => boolean): boolean {
  let rest = '';
  const found = eachChunk(proc, path, (bytes) => {
    const lines = (rest + bytes.toString('latin1')).split('\n');
    // The last piece has no newline yet: its end comes with the next chunk.
    rest = lines.pop() ?? '';
    const more = lines.every(visit);
    if (!more) rest = '';
    return more && bytes.length > PAGE - LONGEST_LINE;
  });
  if (found && rest !== '') visit(rest);
  return found;
}

/** Whether a file of procfs is there and may be opened; nothing is read, which may cost the kernel more than opening. */
export function canOpen(proc: ProcFs, path: string): boolean {
  try {
    closeSync(openSync(`${proc.root}/${path}`, 'r'));
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}

/** What a symbolic link of procfs says; gone is `undefined`. */
export function readLink(proc: ProcFs, path: string): string | undefined {
  const file = `${proc.root}/${path}`;
  try {
    return readlinkSync(file);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw unreadable(file, error);
  }
}

/** The names in a directory of procfs; gone is `undefined`. */
export function listNames(proc: ProcFs, path: string): string[] | undefined {
  const file = `${proc.root}/${path}`;
  try {
    return readdirSync(file);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw unreadable(file, error);
  }
}

/** So many names are taken between two turns of others; the kernel lists up to 1,300 at a time, 2 ms where system calls are slow. */
const NAMES_AT_ONCE = 256;

/** The same in steps, for a directory that may have thousands. */
export function* walkNames(proc: ProcFs, path: string): Steps<string[] | undefined> {
  // Most have few: to open one in node takes twice as long as to read it whole, 30 µs.
  if (countNames(proc, path) <= NAMES_AT_ONCE) return listNames(proc, path);
  const file = `${proc.root}/${path}`;
  const names: string[] = [];
  try {
    const directory = opendirSync(file, { bufferSize: NAMES_AT_ONCE });
    try {
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
        names.push(entry.name);
        if (names.length % NAMES_AT_ONCE === 0) yield;
      }
      return names;
    } finally {
      directory.closeSync();
    }
  } catch (error) {
    if (isGone(error)) return undefined;
    throw unreadable(file, error);
  }
}

/** How many descriptors /proc/PID/fd has, without listing them; 0 for every other directory, before Linux 6.2, and where it can't be told. */
export function countNames(proc: ProcFs, path: string): number {
  try {
    return statSync(`${proc.root}/${path}`).size;
  } catch {
    return 0;
  }
}

/** The numbers among those names (pids, thread ids), ascending; gone is `undefined`. */
export function listNumbers(proc: ProcFs, path: string): number[] | undefined {
  return listNames(proc, path)
    ?.filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

function eachChunk(proc: ProcFs, path: string, visit: (bytes: Buffer) => boolean): boolean {
  const found = withOpen(proc, path, (fd) => {
    for (;;) {
      const length = readSync(fd, chunk, 0, chunk.length, null);
      if (length === 0 || !visit(chunk.subarray(0, length))) return true;
    }
  });
  return found === true;
}

function withOpen<T>(proc: ProcFs, path: string, use: (fd: number) => T): T | undefined {
  const file = `${proc.root}/${path}`;
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY);
    return use(fd);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw unreadable(file, error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

// ESRCH: the process ended between open(2) and read(2). Under fork churn no other code was seen for "gone".
function isGone(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'ENOENT' || code === 'ESRCH';
}

// What is no failed system call is a defect (of a visitor, say) and stays what it is.
function unreadable(file: string, error: unknown): unknown {
  const code = errnoOf(error);
  return code === undefined ? error : new UnreadableError(file, code);
}

function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
