import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { JOURNAL_FILE, ROTATED_FILE, type JournalLine } from './journal-format.ts';
import { ensureStateDirectory, openStateFile, unusable } from './state-directory.ts';

/** Where a clean-up says what it is about to do and what came of it: one JSON line each, on the disk before it goes on. */
export interface Journal {
  /** Throws the error of write(2) or fsync(2). */
  write(line: JournalLine): void;
  close(): void;
}

const DEFAULT_MAX_BYTES = 4 * 1024 * 1024;

/** Opens the journal of a state directory, `''` for none; throws CleanupRefusedError `no-journal` when it can't be written. */
export function openJournal(directory: string, options: { maxBytes?: number | undefined } = {}): Journal {
  if (directory === '') return { write: () => undefined, close: () => undefined };
  ensureStateDirectory(directory);
  try {
    rotate(directory, options.maxBytes ?? DEFAULT_MAX_BYTES);
    const { O_RDWR, O_APPEND } = constants;
    const fd = openStateFile(join(directory, JOURNAL_FILE), O_RDWR | O_APPEND);
    // The name of a new file must outlast a crash as well as what it holds.
    syncDirectory(directory);
    return new OpenJournal(fd);
  } catch (error) {
    throw unusable(directory, error);
  }
}

class OpenJournal implements Journal {
  readonly #fd: number;
  #closed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(line: JournalLine): void {
    // Its descriptor's number may be another file's by now.
    if (this.#closed) throw new Error('the journal is closed');
    // A line torn by a crash ends here, so that it takes no other with it.
    writeAll(this.#fd, `${this.#isTorn() ? '\n' : ''}${JSON.stringify(line)}\n`);
    fsyncSync(this.#fd);
  }

  close(): void {
    if (!this.#closed) closeSync(this.#fd);
    this.#closed = true;
  }

  #isTorn(): boolean {
    const { size } = fstatSync(this.#fd);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(this.#fd, last, 0, 1, size - 1) === 1 && last.toString() !== '\n';
  }
}

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  // write(2) may take less than all of it when the disk is nearly full; the next call says why.
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
}

/** Between clean-ups only, so that an intent and its outcome are never further apart than two files. */
function rotate(directory: string, maxBytes: number): void {
  const path = join(directory, JOURNAL_FILE);
  const fd = openStateFile(path, constants.O_RDONLY);
  const { size } = fstatSync(fd);
  closeSync(fd);
  if (size >= maxBytes) renameSync(path, join(directory, ROTATED_FILE));
}

function syncDirectory(directory: string): void {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
