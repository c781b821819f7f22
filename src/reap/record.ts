import type { Report, Target, Trigger } from '../model.ts';
import type { ProcFs } from '../procfs/fs.ts';
import { readStat } from '../procfs/stat.ts';
import { timestamp, type Clock } from './clock.ts';
import type { CleanupOutcome, JournalLine, JournalTarget } from './journal-format.ts';
import { openJournal, type Journal } from './journal.ts';
import type { Member } from './member.ts';
import { unusable } from './state-directory.ts';

// An argument list may be 128 KiB, and there may be many: the journal needs to tell processes apart.
const MAX_CMDLINE = 2048;

/** The record of one clean-up: its intent, what it took in on the way, its outcome. */
export class CleanupRecord {
  readonly #journal: Journal;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #id: string;
  readonly #onFailure: (detail: string) => void;
  #begun = false;

  /** Throws CleanupRefusedError `no-journal`. */
  constructor(options: {
    directory: string;
    maxBytes: number | undefined;
    clock: Clock;
    id: string;
    onFailure: (detail: string) => void;
  }) {
    this.#journal = openJournal(options.directory, { maxBytes: options.maxBytes });
    this.#directory = options.directory;
    this.#clock = options.clock;
    this.#id = options.id;
    this.#onFailure = options.onFailure;
  }

  /** Throws CleanupRefusedError `no-journal`: without it nothing may be signalled. */
  intent(proc: ProcFs, options: { trigger: Trigger; report: Report; targets: readonly Target[] }): void {
    const users = new Map(options.report.processes.map(({ pid, user }) => [pid, user]));
    const targets = options.targets.map((target): JournalTarget => ({
      ...target,
      cmdline: clip(target.cmdline),
      user: users.get(target.identity.pid) ?? String(target.uid),
    }));
    const { trigger, report } = options;
    const by = {
      pid: process.pid,
      startTime: readStat(proc, process.pid)?.startTime ?? 0,
      uid: process.getuid?.() ?? -1,
    };
    try {
      this.#journal.write({
        v: 1,
        kind: 'intent',
        id: this.#id,
        at: timestamp(this.#clock),
        trigger,
        bootId: report.bootId,
        by,
        targets,
      });
      this.#begun = true;
    } catch (error) {
      throw unusable(this.#directory, error);
    }
  }

  adopted(members: readonly Member[]): void {
    if (members.length === 0) return;
    const forks = members.map(({ pid, startTime, comm, cmdline, foundUnder }) => ({
      pid,
      startTime,
      comm,
      cmdline: clip(cmdline),
      foundUnder,
    }));
    this.#tryWrite({ v: 1, kind: 'adopted', id: this.#id, at: timestamp(this.#clock), forks });
  }

  /** Of what was never begun there is none. */
  outcome(result: Omit<CleanupOutcome, 'at'>): void {
    const { ok, actions, ports, error } = result;
    const at = timestamp(this.#clock);
    if (this.#begun) this.#tryWrite({ v: 1, kind: 'outcome', id: this.#id, at, ok, actions, ports, error });
  }

  close(): void {
    this.#journal.close();
  }

  // The intent is on record: to stop half-way because the disk is full would leave things worse.
  #tryWrite(line: JournalLine): void {
    try {
      this.#journal.write(line);
    } catch (error) {
      this.#onFailure(error instanceof Error ? error.message : String(error));
    }
  }
}

function clip(cmdline: readonly string[]): string[] {
  const kept: string[] = [];
  let left = MAX_CMDLINE;
  for (const word of cmdline) {
    if (left <= 0) return [...kept, '…'];
    kept.push(word.length > left ? `${word.slice(0, left)}…` : word);
    left -= word.length + 1;
  }
  return kept;
}
