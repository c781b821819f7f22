import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { CleanupEntry } from '../http/engine.ts';
import type { ProcFs } from '../procfs/fs.ts';
import { JOURNAL_FILE, ROTATED_FILE } from '../reap/journal-format.ts';
import { readJournal } from '../reap/journal-read.ts';
import { fromJournal } from './cleanup-entry.ts';

/** The clean-ups on record, newest first, read again when the journal's files have changed. An unreadable journal is an empty one. */
export class JournalCache {
  readonly #proc: ProcFs;
  #version = '';
  #entries: CleanupEntry[] = [];

  constructor(proc: ProcFs) {
    this.#proc = proc;
  }

  entries(directory: string): CleanupEntry[] {
    const version = `${directory} ${stamp(directory, JOURNAL_FILE)} ${stamp(directory, ROTATED_FILE)}`;
    // One that runs is over, or its orphand has died, without a change of the file's version.
    if (version === this.#version && !this.#entries.some(({ state }) => state === 'running'))
      return this.#entries;
    try {
      this.#entries = readJournal(directory, this.#proc).map(fromJournal);
    } catch {
      this.#entries = [];
    }
    this.#version = version;
    return this.#entries;
  }
}

function stamp(directory: string, file: string): string {
  try {
    const { ino, size, mtimeNs } = statSync(join(directory, file), { bigint: true });
    return `${ino}-${size}-${mtimeNs}`;
  } catch {
    return '';
  }
}
