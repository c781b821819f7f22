import { closeSync, constants, fchownSync, fstatSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { libc } from './libc.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;
const ATTEMPTS = 10;

/**
 * Takes the lock of this file by flock(2), or answers undefined when another process has it. The kernel frees it when
 * we die, however we die. Makes the file (0600, the directory's owner) where there is none; throws the error of open(2)
 * when that fails, and an Error when the path is no regular file.
 */
export function tryLock(path: string): { release(): void } | undefined {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const fd = openOrCreate(path);
    let locked = false;
    try {
      if (!fstatSync(fd).isFile()) throw new Error(`${path} is not a regular file`);
      if (!lock(fd)) return undefined;
      // Someone removed the file between our open and our lock: that lock excludes nobody.
      locked = isSameFile(fd, path);
    } finally {
      if (!locked) closeSync(fd);
    }
    if (locked) return releaser(fd);
  }
  throw new Error(`${path} is replaced all the time`);
}

function releaser(fd: number): { release(): void } {
  let held = true;
  return {
    release() {
      // The file stays: removing it would let two processes lock two files of the same name.
      if (held) closeSync(fd);
      held = false;
    },
  };
}

function lock(fd: number): boolean {
  const { flock, errno } = libc();
  for (;;) {
    if (flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
    const code = errno();
    if (code === 'EWOULDBLOCK' || code === 'EAGAIN') return false;
    if (code !== 'EINTR') throw Object.assign(new Error(`flock: ${code}`), { code });
  }
}

function openOrCreate(path: string): number {
  // Read-only is enough for flock(2), and lets the daemon (CAP_DAC_READ_SEARCH) lock a file of root's. The directory
  // belongs to an ordinary user: root follows no link there and does not wait for a pipe's writer.
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_CREAT, O_EXCL } = constants;
  for (;;) {
    try {
      return openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
    try {
      const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_CREAT | O_EXCL, 0o600);
      giveToOwner(fd, dirname(path));
      return fd;
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
  }
}

// Only a file that we have just made, never one that was found: that could be a hard link to someone else's.
function giveToOwner(fd: number, directory: string): void {
  const { uid, gid } = statSync(directory);
  if (process.geteuid?.() === 0 && uid !== 0) fchownSync(fd, uid, gid);
}

function isSameFile(fd: number, path: string): boolean {
  const locked = fstatSync(fd, { bigint: true });
  try {
    const named = statSync(path, { bigint: true });
    return named.ino === locked.ino && named.dev === locked.dev;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
