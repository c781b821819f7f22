import { readRecord, type ProcFs } from '../procfs/fs.ts';

/** capability(7) */
const CAP_DAC_READ_SEARCH = 2n;
const CAP_SYS_PTRACE = 19n;

/** Whether this process may read every other's descriptors and mounts (needs both capabilities; proc(5), ptrace(2)). */
export function isPrivileged(proc: ProcFs): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readRecord(proc, 'self/status') ?? '')?.[1];
  if (effective === undefined) return false;
  const capabilities = BigInt(`0x${effective}`);
  return [CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE].every((bit) => (capabilities & (1n << bit)) !== 0n);
}
