import type { CleanupEntry } from '../http/engine.ts';
import type { Action, CleanReport, CleanedPort, Outcome } from '../model.ts';
import type { JournalEntry } from '../reap/journal-format.ts';

/** How many processes ended how. */
export function countOutcomes(actions: readonly Action[]): Record<Outcome, number> {
  const counts: Record<Outcome, number> = {
    terminated: 0,
    killed: 0,
    gone: 0,
    survived: 0,
    refused: 0,
    planned: 0,
  };
  for (const { outcome } of actions) counts[outcome] += 1;
  return counts;
}

/** A clean-up that has just begun. */
export function begun(base: Pick<CleanupEntry, 'id' | 'trigger' | 'dryRun' | 'startedAt'>): CleanupEntry {
  return {
    ...base,
    state: 'running',
    finishedAt: null,
    ok: null,
    outcomes: countOutcomes([]),
    freed: [],
    error: null,
  };
}

/** The same when it is over. */
export function finished(
  entry: CleanupEntry,
  finishedAt: string,
  { ok, actions, ports }: CleanReport,
): CleanupEntry {
  return {
    ...entry,
    state: 'finished',
    finishedAt,
    ok,
    outcomes: countOutcomes(actions),
    freed: freedOf(ports),
  };
}

/** The same when it threw. */
export function failed(entry: CleanupEntry, finishedAt: string, error: unknown): CleanupEntry {
  const message = error instanceof Error ? error.message : String(error);
  return { ...entry, state: 'failed', finishedAt, ok: false, error: message };
}

/** A clean-up of the command line or of a former daemon, as the journal tells it. */
export function fromJournal({ id, trigger, at, state, outcome }: JournalEntry): CleanupEntry {
  const entry = begun({ id, trigger, dryRun: false, startedAt: at });
  if (outcome === undefined) return { ...entry, state: state === 'running' ? 'running' : 'interrupted' };
  return {
    ...entry,
    state: outcome.error === null ? 'finished' : 'failed',
    finishedAt: outcome.at,
    ok: outcome.ok,
    outcomes: countOutcomes(outcome.actions),
    freed: freedOf(outcome.ports),
    error: outcome.error,
  };
}

function freedOf(ports: readonly CleanedPort[]): number[] {
  return [...new Set(ports.filter(({ freed }) => freed).map(({ port }) => port))];
}
