import { MalformedError, readRecord, type ProcFs } from './fs.ts';

/** /proc/PID/stat, proc_pid_stat(5): the fields that identify a process and place it in the tree. */
export interface Stat {
  pid: number;
  /** At most 15 bytes, chosen by the process itself: any byte but NUL, newlines and parentheses too. */
  comm: string;
  /** `R`, `S`, `D`, `T`, `t`, `Z`, `X`, `I` … */
  state: string;
  ppid: number;
  pgrp: number;
  session: number;
  /** PF_* bits of the kernel's sched.h. */
  flags: number;
  threads: number;
  /** Clock ticks (10 ms) after boot. */
  startTime: number;
}

const PF_KTHREAD = 0x00200000;

// state, ppid, pgrp, session, tty, tpgid, flags, ten fields of times and faults, threads, itrealvalue, starttime.
const FIELDS =
  /^ ([A-Za-z]) (-?\d+) (-?\d+) (-?\d+) -?\d+ -?\d+ (\d+) (?:-?\d+ ){10}(-?\d+) -?\d+ (\d+)(?=\s|$)/;

/** Reads one stat line; throws MalformedError when it is none. */
export function parseStat(text: string, file = '/proc/PID/stat'): Stat {
  // comm may hold `) Z 0 (`: only the last parenthesis is the kernel's, all after it is numbers.
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const pid = Number(text.slice(0, open));
  const fields = FIELDS.exec(text.slice(close + 1));
  const [, state, ppid, pgrp, session, flags, threads, startTime] = fields ?? [];
  if (!Number.isInteger(pid) || pid < 1 || state === undefined)
    throw new MalformedError(file, 'not a stat line');
  return {
    pid,
    comm: text.slice(open + 1, close),
    state,
    ppid: Number(ppid),
    pgrp: Number(pgrp),
    session: Number(session),
    flags: Number(flags),
    threads: Number(threads),
    startTime: Number(startTime),
  };
}

/** /proc/PID/stat of one process; gone is `undefined`. */
export function readStat(proc: ProcFs, pid: number): Stat | undefined {
  const text = readRecord(proc, `${pid}/stat`);
  // A process that ends while being read may leave nothing to read.
  return text === undefined || text === '' ? undefined : parseStat(text, `${proc.root}/${pid}/stat`);
}

/** Whether it is a thread of the kernel: no program, no file descriptors, not to be signalled. */
export function isKernelThread(stat: Pick<Stat, 'flags'>): boolean {
  return (stat.flags & PF_KTHREAD) !== 0;
}
