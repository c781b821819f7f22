import type { ActionStep, Target } from '../model.ts';
import type { ProcFs } from '../procfs/fs.ts';
import type { Look } from '../report/look.ts';
import type { Clock } from './clock.ts';
import type { OpenPidFd } from './first-look.ts';
import type { Progress } from './progress.ts';

/** What a clean-up works with. */
export interface CleanupDeps {
  /** Looks at the host once more. */
  look: Look;
  proc: ProcFs;
  gracePeriodMs: number;
  maxTargets: number;
  /** Journal and lock; `''` goes without both. */
  stateDirectory: string;
  /** Makes the runtime let go of the container of a suspect (`podman stop`, `podman rm`); has to end in bounded time. */
  release?: ((target: Target) => Promise<ActionStep[]>) | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  clock?: Clock | undefined;
  /** How long, and how often, SIGKILL is tried. */
  killTimeoutMs?: number | undefined;
  maxRounds?: number | undefined;
  journalMaxBytes?: number | undefined;
  /** For tests of a kernel without pidfd. */
  openPidFd?: OpenPidFd | undefined;
}
