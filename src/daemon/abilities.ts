import { pidFdSupport } from '../linux/pidfd.ts';
import { readText, type ProcFs } from '../procfs/fs.ts';
import { openJournal } from '../reap/journal.ts';
import { CleanupRefusedError } from '../reap/refusal.ts';

/** What this process may do, apart from reading. */
export interface Abilities {
  /** errno name; undefined: pidfds work here. */
  pidfd: string | undefined;
  /** Whether processes of other users may be signalled. */
  maySignal: boolean;
  /** Why the state directory takes no journal; undefined: it does. */
  journal: string | undefined;
}

/** capability(7) */
const CAP_KILL = 5n;

/** Tries out what a clean-up will need; makes the state directory. */
export function readAbilities(proc: ProcFs, stateDirectory: string): Abilities {
  const support = pidFdSupport();
  return {
    pidfd: support.available ? undefined : support.code,
    maySignal: hasCapability(readText(proc, 'self/status') ?? '', CAP_KILL),
    journal: journalProblem(stateDirectory),
  };
}

/** Whether the effective set in /proc/PID/status has a capability. Pure. */
export function hasCapability(status: string, capability: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  return effective !== undefined && (BigInt(`0x${effective}`) & (1n << capability)) !== 0n;
}

function journalProblem(directory: string): string | undefined {
  try {
    openJournal(directory).close();
    return undefined;
  } catch (error) {
    if (error instanceof CleanupRefusedError) return error.message;
    throw error;
  }
}
