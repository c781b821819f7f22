import type { CleanedPort, Target } from '../model.ts';

/** What a clean-up is doing, for who watches it. */
export type Progress =
  /** Waiting, nothing was signalled yet. */
  | { kind: 'second-look-wait'; targets: Target[]; ms: number }
  /** The runtime was asked to let go of its container; `error` is what it said instead. */
  | { kind: 'released'; target: Target; steps: string[]; error: string | null }
  | { kind: 'signalled'; signal: 'SIGTERM' | 'SIGKILL'; pids: number[] }
  /** Waiting for an exit after SIGTERM, at most this long. */
  | { kind: 'grace-wait'; pids: number[]; ms: number }
  /** These needed SIGKILL. */
  | { kind: 'killed'; pids: number[] }
  /** The clean-up goes on, but not all of it is on record. */
  | { kind: 'journal-failed'; detail: string }
  | { kind: 'verified'; ports: CleanedPort[]; ok: boolean };
