import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBootId } from '../procfs/boot.ts';
import { MalformedError, UnreadableError, type ProcFs } from '../procfs/fs.ts';
import { readStat } from '../procfs/stat.ts';
import { timestamp, type Clock } from './clock.ts';
import { openJournal } from './journal.ts';
import {
  JOURNAL_FILE,
  ROTATED_FILE,
  type IntentLine,
  type JournalEntry,
  type JournalLine,
} from './journal-format.ts';
import { hasCode } from './state-directory.ts';

/** The clean-ups on record, newest first; no journal is none. A line that is torn or damaged is left out. Throws the error of open(2) (EACCES). */
export function readJournal(directory: string, proc: ProcFs): JournalEntry[] {
  const entries = new Map<string, JournalEntry>();
  // In this order a rotation in between shows lines twice, which is harmless, and never hides any.
  const newer = readLines(directory, JOURNAL_FILE);
  const older = readLines(directory, ROTATED_FILE);
  for (const line of [...older, ...newer]) {
    if (line.kind === 'intent') entries.set(line.id, fromIntent(line));
    const entry = entries.get(line.id);
    // Its intent may have been rotated away.
    if (entry === undefined) continue;
    switch (line.kind) {
      case 'intent':
        break;
      case 'adopted':
        entry.forks.push(...line.forks);
        break;
      case 'outcome': {
        const { at, ok, actions, ports, error } = line;
        entry.outcome = { at, ok, actions, ports, error };
        entry.state = 'done';
        break;
      }
      case 'noted':
        entry.noted = true;
        break;
    }
  }
  const all = [...entries.values()].reverse();
  for (const entry of all) if (entry.state !== 'done' && isRunning(entry, proc)) entry.state = 'running';
  return all;
}

/** Clean-ups that an earlier orphand began and did not finish, and that nobody was told of yet. */
export function interruptedCleanups(directory: string, proc: ProcFs): JournalEntry[] {
  return readJournal(directory, proc).filter((entry) => entry.state === 'interrupted' && !entry.noted);
}

/** Records that these were reported, so that the next start is silent about them. Throws CleanupRefusedError `no-journal`. */
export function noteInterrupted(directory: string, entries: readonly JournalEntry[], clock: Clock): void {
  if (entries.length === 0) return;
  const journal = openJournal(directory);
  try {
    for (const { id } of entries) journal.write({ v: 1, kind: 'noted', id, at: timestamp(clock) });
  } finally {
    journal.close();
  }
}

function fromIntent({ id, at, trigger, bootId, by, targets }: IntentLine): JournalEntry {
  return {
    id,
    at,
    trigger,
    bootId,
    by,
    targets,
    forks: [],
    outcome: undefined,
    state: 'interrupted',
    noted: false,
  };
}

function readLines(directory: string, file: string): JournalLine[] {
  if (directory === '') return [];
  let text: string;
  try {
    text = readFileSync(join(directory, file), 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => parseLine(line) ?? []);
}

function parseLine(text: string): JournalLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const line = value as Partial<JournalLine>;
  if (line.v !== 1 || typeof line.id !== 'string') return undefined;
  switch (line.kind) {
    case 'intent':
      return Array.isArray(line.targets) && typeof line.by === 'object' ? (line as JournalLine) : undefined;
    case 'adopted':
      return Array.isArray(line.forks) ? (line as JournalLine) : undefined;
    case 'outcome':
      return Array.isArray(line.actions) && Array.isArray(line.ports) ? (line as JournalLine) : undefined;
    case 'noted':
      return line as JournalLine;
    case undefined:
      return undefined;
  }
  // A kind that a newer orphand writes.
  return undefined;
}

/** Whether the orphand that wrote the intent still runs: pid and start time of this boot. */
function isRunning({ bootId, by }: JournalEntry, proc: ProcFs): boolean {
  try {
    return readBootId(proc) === bootId && readStat(proc, by.pid)?.startTime === by.startTime;
  } catch (error) {
    if (error instanceof UnreadableError || error instanceof MalformedError) return false;
    throw error;
  }
}
