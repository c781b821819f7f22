import type { Report } from '../model.ts';
import { MalformedError, readText, type ProcFs } from '../procfs/fs.ts';

// USER_HZ: the unit of start times in procfs.
const MS_PER_TICK = 10;

/**
 * When a look began, in clock ticks after boot, comparable to a start time (/proc/uptime, proc_uptime(5)); `takenAt` is
 * the look's beginning.
 */
export function lookBeganAt(proc: ProcFs, report: Report, now: number): number {
  const uptime = /^(\d+)\.(\d\d)/.exec(readText(proc, 'uptime') ?? '');
  if (uptime === null) throw new MalformedError(`${proc.root}/uptime`, 'is no uptime');
  const ticks = Number(uptime[1]) * 100 + Number(uptime[2]);
  // Asked after the look: a clock that was set back meanwhile must not make it younger than it was long.
  const ageMs = Math.max(report.durationMs, now - Date.parse(report.takenAt));
  return ticks - Math.ceil(ageMs / MS_PER_TICK);
}
