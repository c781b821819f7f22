import type { Action, CleanedPort, Target, Trigger } from '../model.ts';

/** The newest lines, and those before the last rotation. */
export const JOURNAL_FILE = 'journal.jsonl';
export const ROTATED_FILE = 'journal.jsonl.1';

/** A target on record, with the user's name as the report had it. */
export type JournalTarget = Target & { user: string };

/** A process that was found beyond the targets and signalled too. */
export interface JournalFork {
  pid: number;
  startTime: number;
  comm: string;
  cmdline: string[];
  /** The process that it was found under. */
  foundUnder: number;
}

/** Written before the first signal. */
export interface IntentLine {
  v: 1;
  kind: 'intent';
  id: string;
  /** RFC 3339, UTC. */
  at: string;
  trigger: Trigger;
  bootId: string;
  /** The orphand that acts, for telling an interrupted clean-up from one that runs. */
  by: { pid: number; startTime: number; uid: number };
  targets: JournalTarget[];
}

/** Written before these are signalled. */
export interface AdoptedLine {
  v: 1;
  kind: 'adopted';
  id: string;
  at: string;
  forks: JournalFork[];
}

/** What came of it. */
export interface CleanupOutcome {
  at: string;
  ok: boolean;
  actions: Action[];
  ports: CleanedPort[];
  /** Set when the clean-up failed on the way. */
  error: string | null;
}

export interface OutcomeLine extends CleanupOutcome {
  v: 1;
  kind: 'outcome';
  id: string;
}

/** Says that an interrupted clean-up was reported. */
export interface NotedLine {
  v: 1;
  kind: 'noted';
  id: string;
  at: string;
}

export type JournalLine = IntentLine | AdoptedLine | OutcomeLine | NotedLine;

/** One clean-up, as its lines together tell. */
export interface JournalEntry {
  id: string;
  at: string;
  trigger: Trigger;
  bootId: string;
  by: IntentLine['by'];
  targets: JournalTarget[];
  forks: JournalFork[];
  outcome: CleanupOutcome | undefined;
  /** `interrupted`: the orphand that began it ended before its outcome. */
  state: 'done' | 'running' | 'interrupted';
  /** An interruption that was reported already. */
  noted: boolean;
}
