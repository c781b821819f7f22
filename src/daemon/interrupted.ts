import type { Limit } from '../http/engine.ts';
import type { ProcFs } from '../procfs/fs.ts';
import { systemClock } from '../reap/clock.ts';
import { interruptedCleanups, noteInterrupted } from '../reap/journal-read.ts';
import type { Log } from './log.ts';

/** Tells of clean-ups that an earlier orphand began and did not finish, once in the log and until the next start in the status. */
export function reportInterrupted(directory: string, proc: ProcFs, log: Log): Limit[] {
  try {
    const entries = interruptedCleanups(directory, proc);
    for (const { id, at, trigger, targets } of entries) {
      log.warn(
        { cleanup: id, at, trigger, pids: targets.map(({ identity }) => identity.pid) },
        'cleanup was interrupted',
      );
    }
    noteInterrupted(directory, entries, systemClock);
    return entries.map(({ id, at, targets }) => ({
      code: 'interrupted-cleanup',
      message: `Clean-up ${id} of ${at} was interrupted: ${targets.length} processes were to be ended.`,
      cure: 'What is left of them is judged anew by every sweep; orphand history tells more.',
    }));
  } catch (error) {
    // A journal that can't be read or written is told of by the status itself.
    log.warn({ why: error instanceof Error ? error.message : String(error) }, 'journal could not be checked');
    return [];
  }
}
