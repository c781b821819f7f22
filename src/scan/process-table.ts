import type { Ancestor, Unreadable } from '../model.ts';
import { readCgroup } from '../procfs/cgroup.ts';
import { readCmdline } from '../procfs/cmdline.ts';
import { UnreadableError, type ProcFs } from '../procfs/fs.ts';
import { readExe, readNamespace } from '../procfs/links.ts';
import { readMountinfo, type Mount } from '../procfs/mountinfo.ts';
import { listPids } from '../procfs/pids.ts';
import { isKernelThread, readStat, type Stat } from '../procfs/stat.ts';
import { readStatus, type Status } from '../procfs/status.ts';
import { finish, type Steps } from '../procfs/steps.ts';

/** What is read of a process, by the name of its file. */
interface Files {
  stat: Stat;
  cmdline: string[];
  cgroup: string;
  exe: string;
  mountinfo: Mount[];
  'ns/mnt': string;
  status: Status;
}

/** What has been read of one process; undefined where there was nothing to read, or no way to. */
type Known = { [File in keyof Files]?: Files[File] | undefined };

/** The processes that a table is about, where it is known that no other matters. */
export interface Selection {
  pids: readonly number[];
  /** The names of all processes. */
  commands: readonly string[];
}

/**
 * The host's processes at one moment: every stat is read at once, everything else on demand and once. What could not be
 * read is kept per process: a verdict that needed it becomes `unknown`. Of a selection the stat is read on demand, too.
 */
export class ProcessTable {
  readonly proc: ProcFs;
  readonly #selection: Selection | undefined;
  #userPids: readonly number[] | undefined;
  readonly #known = new Map<number, Known>();
  readonly #unreadable = new Map<string, Unreadable>();

  constructor(proc: ProcFs, selection?: Selection) {
    this.proc = proc;
    this.#selection = selection;
    this.#userPids = selection?.pids;
  }

  /** Every process but kernel threads, which hold no descriptors and have no command line. */
  get userPids(): readonly number[] {
    return this.#loaded();
  }

  /** Reads what `userPids` would, in steps. */
  *load(): Steps<readonly number[]> {
    if (this.#userPids !== undefined) return this.#userPids;
    const users: number[] = [];
    for (const pid of listPids(this.proc)) {
      yield;
      const stat = this.#read(pid, 'stat', readStat);
      if (stat !== undefined && !isKernelThread(stat)) users.push(pid);
    }
    return (this.#userPids = users);
  }

  /** The names of all processes. */
  commands(): readonly string[] {
    if (this.#selection !== undefined) return this.#selection.commands;
    this.#loaded();
    return [...this.#known.values()].flatMap(({ stat }) => stat?.comm ?? []);
  }

  /** undefined for a process that is not there; without a selection also for one that came later. */
  stat(pid: number): Stat | undefined {
    if (this.#selection !== undefined) return pid < 1 ? undefined : this.#read(pid, 'stat', readStat);
    this.#loaded();
    return this.#known.get(pid)?.stat;
  }

  cmdline(pid: number): string[] {
    return this.#read(pid, 'cmdline', readCmdline) ?? [];
  }

  /** The whole text of /proc/PID/cgroup, '' once the process has gone. */
  cgroup(pid: number): string {
    return this.#read(pid, 'cgroup', readCgroup) ?? '';
  }

  exe(pid: number): string | undefined {
    return this.#read(pid, 'exe', readExe);
  }

  mounts(pid: number): Mount[] {
    return this.#read(pid, 'mountinfo', readMountinfo) ?? [];
  }

  mountNamespace(pid: number): string | undefined {
    return this.#read(pid, 'ns/mnt', readMountNamespace);
  }

  status(pid: number): Status | undefined {
    return this.#read(pid, 'status', readStatus);
  }

  /** Parent first, pid 1 last. A chain that a death has cut ends where it was cut. */
  ancestors(pid: number): Ancestor[] {
    const chain: Ancestor[] = [];
    const seen = new Set([pid]);
    let stat = this.stat(this.stat(pid)?.ppid ?? 0);
    while (stat !== undefined && !seen.has(stat.pid)) {
      seen.add(stat.pid);
      chain.push({ pid: stat.pid, ppid: stat.ppid, comm: stat.comm, startTime: stat.startTime });
      stat = this.stat(stat.ppid);
    }
    return chain;
  }

  /** What could not be read of these files of a process (`cgroup`, `mountinfo` …), among those that were asked for. */
  unreadable(pid: number, files: readonly string[]): Unreadable[] {
    return files.flatMap((file) => this.#unreadable.get(`${pid}/${file}`) ?? []);
  }

  #loaded(): readonly number[] {
    return this.#userPids ?? finish(this.load());
  }

  #read<File extends keyof Files>(
    pid: number,
    file: File,
    read: (proc: ProcFs, pid: number) => Files[File] | undefined,
  ): Files[File] | undefined {
    let known = this.#known.get(pid);
    if (known === undefined) this.#known.set(pid, (known = {}));
    if (file in known) return known[file];
    let value: Files[File] | undefined;
    try {
      value = read(this.proc, pid);
    } catch (error) {
      // Malformed text is as little an answer as one that may not be read.
      const code = error instanceof UnreadableError ? error.code : 'EBADMSG';
      this.#unreadable.set(`${pid}/${file}`, { pid, file: `/proc/${pid}/${file}`, code });
    }
    known[file] = value;
    return value;
  }
}

function readMountNamespace(proc: ProcFs, pid: number): string | undefined {
  return readNamespace(proc, pid, 'mnt');
}
