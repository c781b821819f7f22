import { closeSync, readSync } from 'node:fs';
import { libc } from '../libc.ts';
import type { Assembler } from './assembler.ts';

// The call's number differs by architecture, as kcmp's does. All of them have the low byte first, as is written here.
const NUMBERS: Partial<Record<NodeJS.Architecture, number>> = { x64: 321, arm64: 280, riscv64: 280 };
/** Of bpf(2) here. */
export const NUMBER = NUMBERS[process.arch];
// include/uapi/linux/bpf.h: commands, with the offsets of what `union bpf_attr` has for them.
const PROG_LOAD = { command: 5, bytes: 144 };
const PROG_RUN = { command: 10, bytes: 80, result: 4 };
const BTF_LOAD = { command: 18, bytes: 32 };
const LINK_CREATE = { command: 28, bytes: 32 };
const ITER_CREATE = { command: 33, bytes: 8 };
const TRACING = 26;
const SYSCALL = 31;
const TRACE_ITER = 28;
const SLEEPABLE = 1 << 4;
const RELOCATION_BYTES = 16;
const FUNC_INFO_BYTES = 8;
// bpf_seq_write may be called only by programs that say so; orphand's own licence is MIT.
const LICENSE = Buffer.from('Dual MIT/GPL\0');
const NAME = Buffer.from('orphand\0');
const CHUNK = 64 * 1024;

/** The types and the entry point of a program whose offsets the kernel fills in. */
export interface Typed {
  btf: Buffer;
  functionId: number;
}

/**
 * Runs a program once that takes nothing, and returns its result, 32 bits. Throws, as all of these do, where the kernel does
 * not do it: no CAP_BPF and CAP_PERFMON (EPERM), seccomp, an old kernel (E2BIG, EINVAL), a program that it takes for unsafe (EACCES).
 */
export function runOnce(program: Assembler): number {
  const code = program.encode();
  const attr = Buffer.alloc(PROG_LOAD.bytes);
  attr.writeUInt32LE(SYSCALL, 0);
  attr.writeUInt32LE(program.length, 4);
  attr.writeUInt32LE(SLEEPABLE, 44);
  NAME.copy(attr, 48);
  return using(bpf(PROG_LOAD.command, attr, { 8: code, 16: LICENSE }).fd, (fd) => {
    const run = Buffer.alloc(PROG_RUN.bytes);
    run.writeUInt32LE(fd, 0);
    return bpf(PROG_RUN.command, run).attr.readUInt32LE(PROG_RUN.result);
  });
}

/** Everything that an iterator (docs.kernel.org/bpf/bpf_iterators.html) writes by a program; `target`: of its function in the kernel's types. */
export function iterate(program: Assembler, { btf, functionId }: Typed, target: number): Buffer {
  const attr = Buffer.alloc(BTF_LOAD.bytes);
  attr.writeUInt32LE(btf.length, 16);
  const loaded = using(bpf(BTF_LOAD.command, attr, { 0: btf }).fd, (types) =>
    loadIterator(program, { types, functionId, target }),
  );
  const iterator = using(loaded, (fd) => {
    const link = Buffer.alloc(LINK_CREATE.bytes);
    link.writeUInt32LE(fd, 0);
    link.writeUInt32LE(TRACE_ITER, 8);
    return using(bpf(LINK_CREATE.command, link).fd, (linked) => {
      const create = Buffer.alloc(ITER_CREATE.bytes);
      create.writeUInt32LE(linked, 0);
      return bpf(ITER_CREATE.command, create).fd;
    });
  });
  return using(iterator, readAll);
}

function loadIterator(
  program: Assembler,
  { types, functionId, target }: { types: number; functionId: number; target: number },
): number {
  const relocations = program.encodeRelocations();
  // struct bpf_func_info: without one the kernel does not read relocations.
  const functions = Buffer.alloc(FUNC_INFO_BYTES);
  functions.writeUInt32LE(functionId, 4);
  const attr = Buffer.alloc(PROG_LOAD.bytes);
  attr.writeUInt32LE(TRACING, 0);
  attr.writeUInt32LE(program.length, 4);
  NAME.copy(attr, 48);
  attr.writeUInt32LE(TRACE_ITER, 68);
  attr.writeUInt32LE(types, 72);
  attr.writeUInt32LE(FUNC_INFO_BYTES, 76);
  attr.writeUInt32LE(1, 88);
  attr.writeUInt32LE(target, 108);
  attr.writeUInt32LE(relocations.length / RELOCATION_BYTES, 116);
  attr.writeUInt32LE(RELOCATION_BYTES, 136);
  const pointers = { 8: program.encode(), 16: LICENSE, 80: functions, 128: relocations };
  return bpf(PROG_LOAD.command, attr, pointers).fd;
}

/**
 * bpf(2). What `pointers` has for an offset is put behind the attributes, and its address there: all of it is one buffer,
 * which lasts as long as the call.
 */
function bpf(
  command: number,
  attr: Buffer,
  pointers: Record<number, Buffer> = {},
): { fd: number; attr: Buffer } {
  if (NUMBER === undefined) throw new Error(`no number of bpf(2) for ${process.arch}`);
  const { bpf: call, addressOf, errno } = libc();
  const whole = Buffer.concat([attr, ...Object.values(pointers)]);
  let next = addressOf(whole) + BigInt(attr.length);
  for (const [offset, data] of Object.entries(pointers)) {
    whole.writeBigUInt64LE(next, Number(offset));
    next += BigInt(data.length);
  }
  const fd = call(NUMBER, command, whole, attr.length);
  if (fd < 0) throw new Error(`bpf(${command}): ${errno()}`);
  return { fd, attr: whole };
}

/** Closes a descriptor when `act` is done with it. */
function using<T>(fd: number, act: (fd: number) => T): T {
  try {
    return act(fd);
  } finally {
    closeSync(fd);
  }
}

function readAll(fd: number): Buffer {
  const parts: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const bytes = readSome(fd, chunk);
    if (bytes === 0) return Buffer.concat(parts);
    if (bytes !== undefined) parts.push(chunk.subarray(0, bytes));
  }
}

/** undefined: a million objects were passed over without anything to write, and it is to be read on. */
function readSome(fd: number, chunk: Buffer): number | undefined {
  try {
    return readSync(fd, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw error;
  }
}
