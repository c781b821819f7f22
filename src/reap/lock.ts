import { closeSync, constants, ftruncateSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { tryLock } from '../linux/flock.ts';
import { CleanupRefusedError } from './refusal.ts';
import { ensureStateDirectory, openStateFile, unusable } from './state-directory.ts';

const FILE = 'lock';

/** Takes the one lock that the CLI and the daemon share; throws CleanupRefusedError `locked`, which names who holds it. */
export function lockCleanup(directory: string): { release(): void } {
  // Without a state directory there is no place that both would look at.
  if (directory === '') return { release: () => undefined };
  ensureStateDirectory(directory);
  const path = join(directory, FILE);
  let lock: ReturnType<typeof tryLock>;
  try {
    lock = tryLock(path);
  } catch (error) {
    throw unusable(directory, error);
  }
  if (lock === undefined) {
    throw new CleanupRefusedError(
      'locked',
      `another clean-up is running (${holder(path)}): wait for it, then look again`,
    );
  }
  writeHolder(path, `${process.pid}\n`);
  return lock;
}

function holder(path: string): string {
  try {
    const pid = readFileSync(path, 'utf8').trim();
    return /^\d+$/.test(pid) ? `pid ${pid} holds ${path}` : `it holds ${path}`;
  } catch {
    return `it holds ${path}`;
  }
}

// Only for the message above: the lock is the kernel's, and this file may be another user's.
function writeHolder(path: string, text: string): void {
  try {
    const fd = openStateFile(path, constants.O_WRONLY);
    try {
      ftruncateSync(fd);
      writeSync(fd, text);
    } finally {
      closeSync(fd);
    }
  } catch {
    // The lock holds without it.
  }
}
