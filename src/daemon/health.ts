/** Whether the daemon does its work. */
export interface Health {
  /** A sweep finished within the last three intervals. */
  healthy: boolean;
  /** The first sweep has finished. */
  ready: boolean;
  /** Why not; null when all is well. */
  problem: string | null;
}

export interface HealthFacts {
  /** All in monotonic ms. */
  now: number;
  startedAt: number;
  lastFinishedAt: number | undefined;
  intervalMs: number;
  /** Why the newest sweep failed, if it did. */
  failure: string | undefined;
  stopping: boolean;
}

const INTERVALS = 3;

/** Judges by the last sweep that succeeded; one that never ends counts as little as one that fails. Pure. */
export function healthOf({
  now,
  startedAt,
  lastFinishedAt,
  intervalMs,
  failure,
  stopping,
}: HealthFacts): Health {
  const ready = lastFinishedAt !== undefined && !stopping;
  const healthy = now - (lastFinishedAt ?? startedAt) <= INTERVALS * intervalMs;
  const because = failure === undefined ? '' : `: ${failure}`;
  if (stopping) return { healthy, ready, problem: 'orphand is stopping' };
  if (!healthy) {
    const seconds = Math.round((now - (lastFinishedAt ?? startedAt)) / 1000);
    return { healthy, ready, problem: `no sweep has finished for ${seconds} s${because}` };
  }
  return { healthy, ready, problem: ready ? null : `the first sweep has not finished${because}` };
}
