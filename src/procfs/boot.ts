import { MalformedError, readRecord, UnreadableError, type ProcFs } from './fs.ts';

// USER_HZ, the unit of every time in procfs, whatever the kernel's own clock is (sysconf(_SC_CLK_TCK)).
const MS_PER_TICK = 10;

/** The id of this boot, /proc/sys/kernel/random/boot_id (random(4)). */
export function readBootId(proc: ProcFs): string {
  const id = required(proc, 'sys/kernel/random/boot_id').trim();
  if (id === '') throw new MalformedError(`${proc.root}/sys/kernel/random/boot_id`, 'is empty');
  return id;
}

/** What /proc/stat says of the whole system, proc_stat(5). */
export interface SystemStat {
  /** When this boot began, ms since the epoch (`btime`). */
  bootTimeMs: number;
  /** How many processes and threads there have been since (`processes`); undefined where they are not counted. */
  forks: number | undefined;
}

export function readSystemStat(proc: ProcFs): SystemStat {
  const text = required(proc, 'stat');
  const seconds = /^btime (\d+)$/m.exec(text)?.[1];
  if (seconds === undefined) throw new MalformedError(`${proc.root}/stat`, 'has no btime');
  // gVisor says 0, always.
  const forks = /^processes ([1-9]\d*)$/m.exec(text)?.[1];
  return { bootTimeMs: Number(seconds) * 1000, forks: forks === undefined ? undefined : Number(forks) };
}

/** When this boot began, ms since the epoch. */
export function readBootTime(proc: ProcFs): number {
  return readSystemStat(proc).bootTimeMs;
}

/** When a process started, RFC 3339 in UTC, from the boot time in ms and its start time in clock ticks. */
export function startedAt(bootTimeMs: number, startTime: number): string {
  return new Date(bootTimeMs + startTime * MS_PER_TICK).toISOString();
}

function required(proc: ProcFs, path: string): string {
  const text = readRecord(proc, path);
  if (text === undefined) throw new UnreadableError(`${proc.root}/${path}`, 'ENOENT');
  return text;
}
