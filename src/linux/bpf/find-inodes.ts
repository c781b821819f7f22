import { closeSync, fstatSync, statSync } from 'node:fs';
import { libc } from '../libc.ts';
import { Assembler } from './assembler.ts';
import { Btf, type Field } from './btf.ts';
import { iterate, runOnce } from './calls.ts';

/** A descriptor of an open file with a wanted inode number, whichever file system's. */
export interface FoundDescriptor {
  readonly pid: number;
  /** The thread whose descriptor it is, by its number in the reader's pid namespace: most threads share their process's. */
  readonly tid: number;
  readonly fd: number;
  readonly inode: number;
}

/** The program has instructions for each, and the kernel looks at every way through it. */
const MOST_INODES = 512;
const RECORD_BYTES = 24;
/** Of nested pid namespaces, the host's being the first; the kernel allows 32. */
const NAMESPACES = 8;
/** PROC_PID_INIT_INO, include/linux/proc_ns.h: the host's. */
const HOST_NAMESPACE = 0xeffffffc;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const BPF_SEQ_WRITE = 127;
const BPF_BTF_FIND_BY_NAME_KIND = 167;
const BTF_KIND_FUNC = 12;
/** struct bpf_iter__task_file: what the kernel calls the program with, for each descriptor of each task. */
const CONTEXT = { meta: 0, task: 8, fd: 16, file: 24 };
/** struct upid, an element of pid.numbers. */
const UPID = { bytes: 16, nr: 0, ns: 8 };

/**
 * Which descriptors of all processes have these inode numbers, asked of the kernel at once, by a BPF iterator over its
 * tasks' files (Linux 6.5; outside of containers perhaps since 5.17): 14 ms for 80,000 descriptors where comparing each
 * takes 180 and a system call 1 µs. undefined where the kernel does not let itself be asked, or where it does not find a socket that this process
 * opens for the purpose. What is found was so a moment ago, and a process may be missing that was just becoming another.
 */
export function findInodes(inodes: ReadonlySet<number>): FoundDescriptor[] | undefined {
  if (inodes.size > MOST_INODES) return undefined;
  try {
    const proof = libc().socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (proof < 0) return undefined;
    try {
      return find(inodes, proof);
    } finally {
      closeSync(proof);
    }
  } catch {
    // Or koffi has no build for this platform, no descriptor is left, or procfs is elsewhere: there is the slower way.
    return undefined;
  }
}

function find(inodes: ReadonlySet<number>, proof: number): FoundDescriptor[] | undefined {
  const own = fstatSync(proof).ino;
  const target = runOnce(findFunction('bpf_iter_task_file'));
  const { types, fields } = describeTypes();
  const namespace = statSync('/proc/self/ns/pid').ino;
  const written = iterate(writeFound([...inodes, own], namespace, fields), types, target);
  const all = parseFound(written);
  if (!all.some(({ pid, fd, inode }) => pid === process.pid && fd === proof && inode === own))
    return undefined;
  return all.filter(({ inode }) => inodes.has(inode));
}

/** The records that the program writes, in the order of its stack. */
export function parseFound(written: Buffer): FoundDescriptor[] {
  const found: FoundDescriptor[] = [];
  for (let at = 0; at + RECORD_BYTES <= written.length; at += RECORD_BYTES) {
    found.push({
      pid: written.readUInt32LE(at),
      tid: written.readUInt32LE(at + 4),
      fd: written.readUInt32LE(at + 8),
      inode: Number(written.readBigUInt64LE(at + 16)),
    });
  }
  return found;
}

/** A program that asks for the number of a function in the kernel's types. */
function findFunction(name: string): Assembler {
  const program = new Assembler();
  const text = Buffer.from(`${name}\0`);
  const room = Math.ceil(text.length / 8) * 8;
  const padded = Buffer.concat([text], room);
  for (let at = 0; at < room; at += 8) {
    program.set(1, padded.readBigInt64LE(at));
    program.store64(10, at - room, 1);
  }
  program.move(1, 10);
  program.add(1, -room);
  program.set(2, text.length);
  program.set(3, BTF_KIND_FUNC);
  program.set(4, 0);
  program.call(BPF_BTF_FIND_BY_NAME_KIND);
  program.exit();
  return program;
}

type FieldName = 'f_inode' | 'i_ino' | 'group_leader' | 'thread_pid' | 'level' | 'numbers' | 'inum' | 'seq';
type Fields = Record<FieldName, Field>;

/** The kernel's types as far as the program reads them; where each member really is, it fills in itself. */
function describeTypes(): { types: { btf: Buffer; functionId: number }; fields: Fields } {
  const btf = new Btf();
  const [u32, u64, pointer] = [btf.unsigned(4), btf.unsigned(8), btf.pointer()];
  const file = btf.struct('file', 8, [['f_inode', pointer, 0]]);
  const inode = btf.struct('inode', 8, [['i_ino', u64, 0]]);
  const task = btf.struct('task_struct', 16, [
    ['group_leader', pointer, 0],
    ['thread_pid', pointer, 8],
  ]);
  const upid = btf.struct('upid', UPID.bytes, [
    ['nr', u32, UPID.nr],
    ['ns', pointer, UPID.ns],
  ]);
  const pid = btf.struct('pid', 8, [
    ['level', u32, 0],
    ['numbers', btf.array(upid, u32), 8],
  ]);
  const common = btf.struct('ns_common', 4, [['inum', u32, 0]]);
  const namespace = btf.struct('pid_namespace', 4, [['ns', common, 0]]);
  const meta = btf.struct('bpf_iter_meta', 8, [['seq', pointer, 0]]);
  const functionId = btf.func('orphand', u32);
  const fields: Fields = {
    f_inode: btf.field(file, '0:0', 0),
    i_ino: btf.field(inode, '0:0', 0),
    group_leader: btf.field(task, '0:0', 0),
    thread_pid: btf.field(task, '0:1', 8),
    level: btf.field(pid, '0:0', 0),
    numbers: btf.field(pid, '0:1', 8),
    inum: btf.field(namespace, '0:0:0', 0),
    seq: btf.field(meta, '0:0', 0),
  };
  return { types: { btf: btf.encode(), functionId }, fields };
}

/** The program that is called for each descriptor, and writes a record of those with a wanted inode number. */
function writeFound(inodes: readonly number[], namespace: number, fields: Fields): Assembler {
  const record = { pid: -24, tid: -20, fd: -16, inode: -8 };
  const program = new Assembler();
  program.move(6, 1);
  program.load64(7, 6, CONTEXT.file);
  // Once more at the end, without a file.
  program.jumpIfZero(7, 'next');
  program.loadField64(8, 7, fields.f_inode);
  program.jumpIfZero(8, 'next');
  program.loadField64(8, 8, fields.i_ino);
  for (const inode of inodes) {
    program.set(2, inode);
    program.jumpIfEqual(8, 2, 'wanted');
  }
  program.jump('next');

  program.label('wanted');
  program.load64(7, 6, CONTEXT.task);
  program.jumpIfZero(7, 'next');
  program.loadField64(9, 7, fields.thread_pid);
  storeNumber(program, record.tid, namespace, fields);
  program.loadField64(9, 7, fields.group_leader);
  program.jumpIfZero(9, 'next');
  program.loadField64(9, 9, fields.thread_pid);
  storeNumber(program, record.pid, namespace, fields);
  program.load32(1, 6, CONTEXT.fd);
  program.store64(10, record.fd, 1);
  program.store64(10, record.inode, 8);
  program.load64(1, 6, CONTEXT.meta);
  program.loadField64(1, 1, fields.seq);
  program.move(2, 10);
  program.add(2, -RECORD_BYTES);
  program.set(3, RECORD_BYTES);
  program.call(BPF_SEQ_WRITE);

  program.label('next');
  program.set(0, 0);
  program.exit();
  return program;
}

/** Stores which number the struct pid in r9 has in a pid namespace; goes to the next descriptor where it has none there. */
function storeNumber(program: Assembler, place: number, namespace: number, fields: Fields): void {
  program.jumpIfZero(9, 'next');
  program.loadField32(3, 9, fields.level);
  program.addField(9, fields.numbers);
  // Before 6.5 the kernel knows of one element only.
  const levels = namespace === HOST_NAMESPACE ? 1 : NAMESPACES;
  for (let level = 0; level < levels; level++) {
    const deeper = `${place}, deeper than ${level}`;
    // Namespaces are numbered from the host's, 0, to the one that it was made in.
    program.jumpIfBelow(3, level, 'next');
    program.load64(4, 9, level * UPID.bytes + UPID.ns);
    program.jumpIfZero(4, deeper);
    program.loadField32(5, 4, fields.inum);
    program.set(2, namespace);
    program.jumpIfUnequal(5, 2, deeper);
    program.load32(5, 9, level * UPID.bytes + UPID.nr);
    program.store32(10, place, 5);
    program.jump(`${place}, stored`);
    program.label(deeper);
  }
  program.jump('next');
  program.label(`${place}, stored`);
}
