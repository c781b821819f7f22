import { closeSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';

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

/** Calls `visit` with each line (ASCII, no newline) until it answers false, reading no further than that; returns false when the file is gone. */
export function eachLine(proc: ProcFs, path: string, visit: (line: string) => boolean): boolean {
  let rest = '';
  const found = eachChunk(proc, path, (bytes) => {
    const lines = (rest + bytes.toString('latin1')).split('\n');
    // The last piece has no newline yet: its end comes with the next chunk.
    rest = lines.pop() ?? '';
    const more = lines.every(visit);
    if (!more) rest = '';
    return more;
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

/** The numbers among those names (pids, thread ids), ascending; gone is `undefined`. */
export function listNumbers(proc: ProcFs, path: string): number[] | undefined {
  return listNames(proc, path)
    ?.filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

function eachChunk(proc: ProcFs, path: string, visit: (bytes: Buffer) => boolean): boolean {
  const file = `${proc.root}/${path}`;
  let fd: number | undefined;
  try {
    fd = openSync(file, 'r');
    for (;;) {
      const length = readSync(fd, chunk, 0, chunk.length, null);
      if (length === 0 || !visit(chunk.subarray(0, length))) return true;
    }
  } catch (error) {
    if (isGone(error)) return false;
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
