import { closeSync, existsSync } from 'node:fs';
import type { Test } from 'tap';
import { NUMBER } from '../../src/linux/bpf/calls.ts';
import { findInodes } from '../../src/linux/bpf/find-inodes.ts';
import { libc } from '../../src/linux/libc.ts';
import { needs } from './needs.ts';

let allowed: boolean | undefined;

/** Whether bpf(2) makes a map, which needs CAP_BPF, and the kernel knows its own types. */
function mayUseBpf(): boolean {
  if (NUMBER === undefined || !existsSync('/sys/kernel/btf/vmlinux')) return false;
  // BPF_MAP_CREATE of BPF_MAP_TYPE_HASH, with one element of four bytes for four.
  const attributes = Buffer.from(Uint32Array.of(1, 4, 4, 1).buffer);
  const map = libc().bpf(NUMBER, 0, attributes, attributes.length);
  if (map < 0) return false;
  closeSync(map);
  return true;
}

/** True where the kernel can be asked who holds a socket. No package brings that: where it can't, that it is said is the test. */
export function canAskKernel(t: Test): boolean {
  if (!needs(t, 'root')) return false;
  allowed ??= mayUseBpf();
  if (!allowed) t.equal(findInodes(new Set([1])), undefined, 'no bpf(2) here, and that is known');
  return allowed;
}
