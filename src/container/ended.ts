import type { Stat } from '../procfs/stat.ts';

/**
 * Whether a process has ended though its pid is still listed: state Z, waiting for its parent to take note. With other
 * threads it is a process whose main thread called exit(2) and that serves on.
 */
export function hasEnded(stat: Pick<Stat, 'state' | 'threads'>): boolean {
  return stat.state === 'X' || (stat.state === 'Z' && stat.threads <= 1);
}
