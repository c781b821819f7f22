import { MalformedError, readRecord, type ProcFs } from './fs.ts';

/** /proc/PID/status, proc_pid_status(5): who a process runs as, and its pid in each namespace. */
export interface Status {
  /** Real user id. */
  uid: number;
  /** Effective user id. */
  euid: number;
  /** Real group id. */
  gid: number;
  /** The host's pid first, the innermost namespace's last; empty where the kernel has no pid namespaces. */
  nsPid: number[];
}

/** Reads the text of a status file; throws MalformedError when it names no uid or gid. */
export function parseStatus(text: string, file = '/proc/PID/status'): Status {
  // By line, not by /^Uid:/m: that also matches behind a carriage return, which the kernel does not escape
  // in Name, so that a process called "\rUid:\t0\t0" would choose its own user.
  const values = new Map<string, number[]>();
  for (const line of text.split('\n')) {
    const match = /^(Uid|Gid|NSpid):\s*(\d+(?:\s+\d+)*)\s*$/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) {
      values.set(match[1], match[2].split(/\s+/).map(Number));
    }
  }
  const [uid, euid] = values.get('Uid') ?? [];
  const [gid] = values.get('Gid') ?? [];
  if (uid === undefined || euid === undefined || gid === undefined) {
    throw new MalformedError(file, 'names no Uid or Gid');
  }
  return { uid, euid, gid, nsPid: values.get('NSpid') ?? [] };
}

/** /proc/PID/status of one process; gone is `undefined`. */
export function readStatus(proc: ProcFs, pid: number): Status | undefined {
  const text = readRecord(proc, `${pid}/status`);
  return text === undefined || text === '' ? undefined : parseStatus(text, `${proc.root}/${pid}/status`);
}
