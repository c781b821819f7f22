import { MalformedError, readText, type ProcFs } from './fs.ts';

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

/** Reads one stat line; throws MalformedError when it is none. */
export function parseStat(text: string, file = '/proc/PID/stat'): Stat {
  // comm may hold `) Z 0 (`: only the last parenthesis is the kernel's, all after it is numbers.
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const fields = text
    .slice(close + 1)
    .trim()
    .split(' ');
  const state = fields[0] ?? '';
  if (!/^[A-Za-z]$/.test(state)) throw new MalformedError(file, 'not a stat line');

  const number = (text: string | undefined, name: string): number => {
    if (text === undefined || !/^-?\d+$/.test(text))
      throw new MalformedError(file, `${name} is not a number`);
    return Number(text);
  };
  // Numbered from 1 as in the manual, where state is field 3.
  const field = (position: number, name: string): number => number(fields[position - 3], name);
  return {
    pid: number(text.slice(0, open).trim(), 'pid'),
    comm: text.slice(open + 1, close),
    state,
    ppid: field(4, 'ppid'),
    pgrp: field(5, 'pgrp'),
    session: field(6, 'session'),
    flags: field(9, 'flags'),
    threads: field(20, 'num_threads'),
    startTime: field(22, 'starttime'),
  };
}

/** /proc/PID/stat of one process; gone is `undefined`. */
export function readStat(proc: ProcFs, pid: number): Stat | undefined {
  const text = readText(proc, `${pid}/stat`);
  // A process that ends while being read may leave nothing to read.
  return text === undefined || text === '' ? undefined : parseStat(text, `${proc.root}/${pid}/stat`);
}

/** Whether it is a thread of the kernel: no program, no file descriptors, not to be signalled. */
export function isKernelThread(stat: Pick<Stat, 'flags'>): boolean {
  return (stat.flags & PF_KTHREAD) !== 0;
}
