import { readText, type ProcFs } from '../procfs/fs.ts';
import { KeptFile } from '../procfs/kept-file.ts';
import { listPids } from '../procfs/pids.ts';
import { isKernelThread, readStat } from '../procfs/stat.ts';
import type { Steps } from '../procfs/steps.ts';

/** What has become of the host's processes since the look before. */
export interface Changes {
  /** Every process but kernel threads. */
  pids: readonly number[];
  /** Those that are new, or became something else by another command line or cgroup. */
  changed: ReadonlySet<number>;
  /** Whether one has gone. */
  gone: boolean;
  /** Nothing has changed, and nothing is so young that it may have changed in a way that is not watched. */
  settled: boolean;
}

interface Watched {
  kernel: boolean;
  files: readonly KeptFile[];
  /** Monotonic ms of its newest change, until a look has seen it afterwards. */
  unsettledSince: number | undefined;
}

/** A process that starts may still enter namespaces and name itself, between one of its command lines and the next. */
const SETTLES_AFTER_MS = 2_000;
/** Two to a process. With more processes a host is looked at anew each time. */
const MOST_KEPT = 20_000;

/**
 * Sees which processes came, went, or became other ones, at 2 µs for each that did not: by the list of pids, and by
 * command line and cgroup through files that are kept open.
 */
export class ProcessWatch {
  readonly #proc: ProcFs;
  readonly #monotonic: () => number;
  readonly #watched = new Map<number, Watched>();
  readonly #mostKept: number;
  #kept = 0;

  /** @param monotonic a clock in ms */
  constructor(proc: ProcFs, monotonic: () => number) {
    this.#proc = proc;
    this.#monotonic = monotonic;
    this.#mostKept = mostKept(proc);
  }

  *look(): Steps<Changes> {
    const now = this.#monotonic();
    const pids = listPids(this.#proc);
    const gone = this.#dropAllBut(new Set(pids));
    const changed = new Set<number>();
    let settled = true;
    for (const pid of pids) {
      yield;
      const known = this.#watched.get(pid);
      if (known?.files.every((file) => file.isSame()) === true) {
        if (known.unsettledSince === undefined) continue;
        settled = false;
        if (now - known.unsettledSince >= SETTLES_AFTER_MS) known.unsettledSince = undefined;
        continue;
      }
      if (known !== undefined) this.#drop(pid, known);
      const watched = this.#watch(pid, now);
      // A kernel thread takes no part in anything; one that was none has become another process.
      if (watched?.kernel !== true || known?.kernel === false) changed.add(pid);
    }
    return {
      pids: pids.filter((pid) => this.#watched.get(pid)?.kernel !== true),
      changed,
      gone,
      settled: settled && changed.size === 0 && !gone,
    };
  }

  close(): void {
    for (const [pid, watched] of this.#watched) this.#drop(pid, watched);
  }

  #dropAllBut(pids: ReadonlySet<number>): boolean {
    let gone = false;
    for (const [pid, watched] of this.#watched) {
      if (pids.has(pid)) continue;
      this.#drop(pid, watched);
      if (!watched.kernel) gone = true;
    }
    return gone;
  }

  #drop(pid: number, { files }: Watched): void {
    for (const file of files) file.close();
    this.#kept -= files.length;
    this.#watched.delete(pid);
  }

  /** undefined where that can't be done: such a process is a new one in every look. */
  #watch(pid: number, now: number): Watched | undefined {
    if (this.#kept + 2 > this.#mostKept) return undefined;
    const cmdline = KeptFile.open(this.#proc, `${pid}/cmdline`);
    const kind = cmdline?.isEmpty === true ? this.#kindOf(pid) : 'user';
    const kernel = kind === 'kernel';
    // A kernel thread's cgroup says nothing, and a host may have thousands of them.
    const cgroup = kernel ? undefined : KeptFile.open(this.#proc, `${pid}/cgroup`);
    const files = [cmdline, cgroup].filter((file) => file !== undefined);
    if (kind === undefined || files.length < (kernel ? 1 : 2)) {
      for (const file of files) file.close();
      return undefined;
    }
    const watched = { kernel, files, unsettledSince: kernel ? undefined : now };
    this.#kept += files.length;
    this.#watched.set(pid, watched);
    return watched;
  }

  /** What a process without a command line is; undefined where its main thread has exited and others go on, unseen here. */
  #kindOf(pid: number): 'kernel' | 'user' | undefined {
    try {
      const stat = readStat(this.#proc, pid);
      if (stat === undefined || (stat.state === 'Z' && stat.threads > 1)) return undefined;
      return isKernelThread(stat) ? 'kernel' : 'user';
    } catch {
      return undefined;
    }
  }
}

/** A part of the descriptors that this process may have: the others are for who connects. */
function mostKept(proc: ProcFs): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readText(proc, 'self/limits') ?? '')?.[1];
  return Math.min(MOST_KEPT, Number(limit ?? 0) / 2);
}
