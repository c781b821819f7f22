import type { Ancestor, Unreadable } from '../model.ts';
import { readCgroup } from '../procfs/cgroup.ts';
import { readCmdline } from '../procfs/cmdline.ts';
import { UnreadableError, type ProcFs } from '../procfs/fs.ts';
import { readExe, readNamespace } from '../procfs/links.ts';
import { readMountinfo, type Mount } from '../procfs/mountinfo.ts';
import { listPids } from '../procfs/pids.ts';
import { isKernelThread, readStat, type Stat } from '../procfs/stat.ts';
import { readStatus, type Status } from '../procfs/status.ts';

/**
 * The host's processes at one moment: every stat is read at once, everything else on demand and once. What could not be
 * read is kept per process: a verdict that needed it becomes `unknown`.
 */
export class ProcessTable {
  readonly proc: ProcFs;
  readonly #stats = new Map<number, Stat>();
  readonly #unreadable = new Map<string, Unreadable>();
  readonly #cache = new Map<string, unknown>();

  constructor(proc: ProcFs) {
    this.proc = proc;
    for (const pid of listPids(proc)) {
      const stat = this.#read(pid, 'stat', () => readStat(proc, pid));
      if (stat !== undefined) this.#stats.set(pid, stat);
    }
  }

  /** Every process but kernel threads, which hold no descriptors and have no command line. */
  get userPids(): number[] {
    return [...this.#stats.values()].filter((stat) => !isKernelThread(stat)).map((stat) => stat.pid);
  }

  stat(pid: number): Stat | undefined {
    return this.#stats.get(pid);
  }

  cmdline(pid: number): string[] {
    return this.#read(pid, 'cmdline', () => readCmdline(this.proc, pid)) ?? [];
  }

  /** The whole text of /proc/PID/cgroup, '' once the process has gone. */
  cgroup(pid: number): string {
    return this.#read(pid, 'cgroup', () => readCgroup(this.proc, pid)) ?? '';
  }

  exe(pid: number): string | undefined {
    return this.#read(pid, 'exe', () => readExe(this.proc, pid));
  }

  mounts(pid: number): Mount[] {
    return this.#read(pid, 'mountinfo', () => readMountinfo(this.proc, pid)) ?? [];
  }

  mountNamespace(pid: number): string | undefined {
    return this.#read(pid, 'ns/mnt', () => readNamespace(this.proc, pid, 'mnt'));
  }

  status(pid: number): Status | undefined {
    return this.#read(pid, 'status', () => readStatus(this.proc, pid));
  }

  /** Parent first, pid 1 last. A chain that a death has cut ends where it was cut. */
  ancestors(pid: number): Ancestor[] {
    const chain: Ancestor[] = [];
    const seen = new Set([pid]);
    let stat = this.#stats.get(this.#stats.get(pid)?.ppid ?? 0);
    while (stat !== undefined && !seen.has(stat.pid)) {
      seen.add(stat.pid);
      chain.push({ pid: stat.pid, ppid: stat.ppid, comm: stat.comm, startTime: stat.startTime });
      stat = this.#stats.get(stat.ppid);
    }
    return chain;
  }

  /** What could not be read of these files of a process (`cgroup`, `mountinfo` …), among those that were asked for. */
  unreadable(pid: number, files: readonly string[]): Unreadable[] {
    return files.flatMap((file) => this.#unreadable.get(`${pid}/${file}`) ?? []);
  }

  /** Everything that could not be read so far, one entry for a process and file. */
  allUnreadable(): Unreadable[] {
    return [...this.#unreadable.values()];
  }

  #read<T>(pid: number, file: string, read: () => T | undefined): T | undefined {
    const key = `${pid}/${file}`;
    if (this.#cache.has(key)) return this.#cache.get(key) as T | undefined;
    let value: T | undefined;
    try {
      value = read();
    } catch (error) {
      // Malformed text is as little an answer as one that may not be read.
      const code = error instanceof UnreadableError ? error.code : 'EBADMSG';
      this.#unreadable.set(key, { pid, file: `/proc/${pid}/${file}`, code });
    }
    this.#cache.set(key, value);
    return value;
  }
}
