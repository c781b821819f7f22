import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcFs } from '../../src/procfs/fs.ts';

/** A process of a built /proc. */
export interface FakeProcess {
  pid: number;
  ppid: number;
  cmdline: string[];
  comm?: string;
  exe?: string;
  cgroup?: string;
  /** Mount namespace; the host's without it. */
  mnt?: string;
  mountinfo?: string;
  startTime?: number;
  uid?: number;
  /** Socket inodes that it holds. */
  sockets?: number[];
  nsPid?: number[];
  /** Its own by default. */
  session?: number;
  /** `S` by default. */
  state?: 'S' | 'Z' | 'R';
  /** One by default. */
  threads?: number | undefined;
  /** How often it has run; without it there are no such statistics. */
  ran?: number | undefined;
  /** PF_* bits. */
  flags?: number;
}

const hostMounts = '29 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n30 29 0:25 / /run rw - tmpfs tmpfs rw\n';

/** Writes a tree like /proc below `root`, with pid 1 and a process that stands for orphand (`self`). */
export function procTree(
  root: string,
  processes: FakeProcess[],
  listeners: [port: number, inode: number][],
  self = 999,
): ProcFs {
  const all: FakeProcess[] = [
    { pid: 1, ppid: 0, cmdline: ['/sbin/init'], comm: 'systemd' },
    { pid: self, ppid: 1, cmdline: ['node', 'orphand'], comm: 'node' },
    ...processes,
  ];
  const own = all.filter((each, index) => all.findLastIndex((other) => other.pid === each.pid) === index);
  for (const each of own) writeProcess(root, each);
  mkdirSync(join(root, 'sys/kernel/random'), { recursive: true });
  mkdirSync(join(root, 'self'), { recursive: true });
  writeFileSync(join(root, 'sys/kernel/random/boot_id'), '11111111-2222-3333-4444-555555555555\n');
  writeFileSync(
    join(root, 'self/limits'),
    'Max open files            20000                20000                files\n',
  );
  writeForks(root, undefined);
  writeListeners(root, listeners);
  writeFileSync(join(root, 'self/status'), 'CapEff:\t000001ffffffffff\n');
  return { root };
}

/** Ends a process: of its files that somebody has open nothing can be read any more, as the kernel has it. */
export function endProcess(root: string, pid: number): void {
  const dir = join(root, String(pid));
  for (const file of ['cmdline', 'cgroup', 'schedstat'])
    if (existsSync(join(dir, file))) writeFileSync(join(dir, file), '');
  rmSync(dir, { recursive: true });
}

/** Writes anew how many forks there have been; undefined where they are not counted. */
export function writeForks(root: string, forks: number | undefined): void {
  const processes = forks === undefined ? '' : `processes ${forks}\n`;
  writeFileSync(join(root, 'stat'), `cpu 0 0 0\nbtime 1700000000\n${processes}procs_running 1\n`);
}

/** Writes anew who listens. */
export function writeListeners(
  root: string,
  listeners: readonly (readonly [port: number, inode: number])[],
): void {
  const rows = listeners.map(([port, inode], index) => {
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    return `   ${index}: 00000000:${hex} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0 10 0`;
  });
  mkdirSync(join(root, '1/net'), { recursive: true });
  writeFileSync(join(root, '1/net/tcp'), ['  sl  local_address', ...rows, ''].join('\n'));
}

/** Writes a process, or what has become of it: files that are there stay the same files, as the kernel's do. */
export function writeProcess(root: string, process: FakeProcess): void {
  const { pid, ppid, cmdline, startTime = 100 + pid, uid = 0 } = process;
  const comm = process.comm ?? (cmdline[0] ?? '').split('/').at(-1) ?? '';
  const dir = join(root, String(pid));
  rmSync(join(dir, 'fd'), { recursive: true, force: true });
  mkdirSync(join(dir, 'fd'), { recursive: true });
  mkdirSync(join(dir, 'ns'), { recursive: true });
  const zeros = (count: number): string => Array(count).fill('0').join(' ');
  writeFileSync(
    join(dir, 'stat'),
    `${pid} (${comm}) ${process.state ?? 'S'} ${ppid} ${pid} ${process.session ?? pid} 0 -1 ${process.flags ?? 0} ${zeros(10)} ${process.threads ?? 1} 0 ${startTime} ${zeros(30)}\n`,
  );
  writeFileSync(
    join(dir, 'status'),
    `Name:\t${comm}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nGid:\t0\t0\t0\t0\nNSpid:\t${(process.nsPid ?? [pid]).join('\t')}\n`,
  );
  if (process.ran !== undefined)
    writeFileSync(join(dir, 'schedstat'), `${process.ran * 1000} 0 ${process.ran}\n`);
  writeFileSync(join(dir, 'cmdline'), cmdline.map((arg) => `${arg}\0`).join(''));
  writeFileSync(join(dir, 'cgroup'), `0::${process.cgroup ?? '/'}\n`);
  writeFileSync(join(dir, 'mountinfo'), process.mountinfo ?? hostMounts);
  for (const link of ['exe', 'ns/mnt']) rmSync(join(dir, link), { force: true });
  symlinkSync(process.exe ?? cmdline[0] ?? '/x', join(dir, 'exe'));
  symlinkSync(`mnt:[${process.mnt ?? '4026531841'}]`, join(dir, 'ns/mnt'));
  for (const [fd, inode] of (process.sockets ?? []).entries())
    symlinkSync(`socket:[${inode}]`, join(dir, 'fd', String(fd + 3)));
}
