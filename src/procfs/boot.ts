import { MalformedError, readText, UnreadableError, type ProcFs } from './fs.ts';

// USER_HZ, the unit of every time in procfs, whatever the kernel's own clock is (sysconf(_SC_CLK_TCK)).
const MS_PER_TICK = 10;

/** The id of this boot, /proc/sys/kernel/random/boot_id (random(4)). */
export function readBootId(proc: ProcFs): string {
  const id = required(proc, 'sys/kernel/random/boot_id').trim();
  if (id === '') throw new MalformedError(`${proc.root}/sys/kernel/random/boot_id`, 'is empty');
  return id;
}

/** When this boot began, ms since the epoch, from `btime` in /proc/stat (proc_stat(5)). */
export function readBootTime(proc: ProcFs): number {
  const seconds = /^btime (\d+)$/m.exec(required(proc, 'stat'))?.[1];
  if (seconds === undefined) throw new MalformedError(`${proc.root}/stat`, 'has no btime');
  return Number(seconds) * 1000;
}

/** When a process started, RFC 3339 in UTC, from the boot time in ms and its start time in clock ticks. */
export function startedAt(bootTimeMs: number, startTime: number): string {
  return new Date(bootTimeMs + startTime * MS_PER_TICK).toISOString();
}

function required(proc: ProcFs, path: string): string {
  const text = readText(proc, path);
  if (text === undefined) throw new UnreadableError(`${proc.root}/${path}`, 'ENOENT');
  return text;
}
