import { listNumbers, UnreadableError, type ProcFs } from './fs.ts';

/** Every process that /proc shows (proc(5)), ascending; an absent procfs is an UnreadableError, not a host without processes. */
export function listPids(proc: ProcFs): number[] {
  const pids = listNumbers(proc, '.');
  if (pids === undefined) throw new UnreadableError(proc.root, 'ENOENT');
  return pids;
}
