import type { ProcFs } from '../../procfs/fs.ts';
import type { Inspection } from './inspection.ts';
import { recordedPid } from './instance.ts';

/** An inspection with its pid looked up: what is said to run, and whose process has ended, has exited. */
export function confirmed(
  proc: ProcFs,
  inspection: Inspection,
  layer: string | undefined,
  family: readonly number[],
): Inspection & { note?: string } {
  const { id, pid, state } = inspection;
  const claimed = state === 'running' || state === 'paused';
  if (pid === undefined)
    return claimed ? { ...inspection, state: undefined, note: 'without a pid' } : inspection;
  const now = recordedPid(proc, pid, { id, layer }, family);
  if (now === 'alive') return inspection;
  if (now === 'unknown' && claimed) {
    return { ...inspection, state: undefined, pid: undefined, note: `pid ${pid} could not be looked at` };
  }
  if (!claimed) return { ...inspection, pid: undefined };
  const note = `says ${state}, but pid ${pid} ${now === 'ended' ? 'has ended' : 'is another process by now'}`;
  return { ...inspection, state: 'exited', pid: undefined, note };
}
