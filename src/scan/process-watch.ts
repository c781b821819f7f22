import { quietly } from '../container/quietly.ts';
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
  cmdline: KeptFile;
  /** A kernel thread's says nothing, and a host may have thousands of them. */
  cgroup: KeptFile | undefined;
  /** How often it has run and for how long, of one that may be at rest since its command line was read. */
  schedstat: KeptFile | undefined;
  /** Monotonic ms of its newest change, until a look has seen it afterwards. */
  unsettledSince: number | undefined;
}

/** A process that starts may still enter namespaces and name itself, between one of its command lines and the next. */
const SETTLES_AFTER_MS = 2_000;
/** Two to a process, a third where there is room. With more processes a host is looked at anew each time. */
const MOST_KEPT = 20_000;
/** What the kernel says of every process where it keeps no such statistics (proc_pid_schedstat in fs/proc/base.c). */
const NO_STATISTICS = '0 0 0\n';

/**
 * Sees which processes came, went, or became other ones, at 2 µs for each that did not: by the list of pids, and by
 * command line and cgroup through files that are kept open. Pids are listed again only once the system has forked. A command
 * line is read again only once its process has run: it lies in that process's own memory, which may be swapped out, and takes
 * twice as long to read as what the scheduler knows.
 */
export class ProcessWatch {
  readonly #proc: ProcFs;
  readonly #monotonic: () => number;
  readonly #watched = new Map<number, Watched>();
  /** Those whose schedstat is kept. */
  readonly #resting = new Set<Watched>();
  readonly #mostKept: number;
  #kept = 0;
  #forks: number | undefined;
  #pids: readonly number[] = [];

  /** @param monotonic a clock in ms */
  constructor(proc: ProcFs, monotonic: () => number) {
    this.#proc = proc;
    this.#monotonic = monotonic;
    this.#mostKept = mostKept(proc);
  }

  /**
   * @param whole look at everything, whatever seems to be at rest
   * @param forks how many there have been on this system, read before this is called
   */
  *look(whole: boolean, forks: number | undefined): Steps<Changes> {
    const now = this.#monotonic();
    const mayBeNew = whole || forks === undefined || forks !== this.#forks;
    const pids = mayBeNew ? listPids(this.#proc) : this.#pids;
    // Whatever keeps this look from its end, the next one lists them.
    this.#forks = undefined;
    let gone = mayBeNew && this.#dropAllBut(new Set(pids));
    const ended = new Set<number>();
    const changed = new Set<number>();
    let settled = true;
    for (const pid of pids) {
      yield;
      const known = this.#watched.get(pid);
      if (known !== undefined && this.#isSame(pid, known, whole)) {
        if (known.unsettledSince === undefined) continue;
        settled = false;
        if (now - known.unsettledSince >= SETTLES_AFTER_MS) known.unsettledSince = undefined;
        continue;
      }
      if (known !== undefined) this.#drop(pid, known);
      const watched = this.#watch(pid, now);
      if (watched === undefined && this.#hasEnded(pid)) {
        ended.add(pid);
        if (known?.kernel !== true) gone = true;
        continue;
      }
      // A kernel thread takes no part in anything; one that was none has become another process.
      if (watched?.kernel !== true || known?.kernel === false) changed.add(pid);
    }
    this.#pids = ended.size === 0 ? pids : pids.filter((pid) => !ended.has(pid));
    this.#forks = forks;
    return {
      pids: this.#pids.filter((pid) => this.#watched.get(pid)?.kernel !== true),
      changed,
      gone,
      settled: settled && changed.size === 0 && !gone,
    };
  }

  close(): void {
    for (const [pid, watched] of this.#watched) this.#drop(pid, watched);
  }

  /** Whether that process still has the command line and the cgroup that it had; finds out as well whether it is at rest. */
  #isSame(pid: number, known: Watched, whole: boolean): boolean {
    // Anybody may move it, at rest as it is.
    if (known.cgroup?.isSame() === false) return false;
    const atRest = known.schedstat?.isSame() === true;
    if (atRest && !whole) return true;
    if (!atRest) {
      this.#closeSchedstat(known);
      if (whole) this.#openSchedstat(pid, known);
    }
    return known.cmdline.isSame();
  }

  /** What may not be read, or not now for want of descriptors, has not ended. */
  #hasEnded(pid: number): boolean {
    return quietly(() => readStat(this.#proc, pid) === undefined) === true;
  }

  /**
   * In this order, and before its command line is read: a process that slept after this was read, and had one thread, has
   * not changed it since unless it has run. Of one that runs the kernel has not counted all yet. Somebody else can: who
   * shares its memory (vfork(2) before exec), or writes there as a debugger does. That is seen by the next whole look.
   */
  #openSchedstat(pid: number, known: Watched): void {
    if (known.kernel || this.#kept + 1 > this.#mostKept) return;
    const schedstat = KeptFile.open(this.#proc, `${pid}/schedstat`);
    if (schedstat === undefined) return;
    known.schedstat = schedstat;
    this.#resting.add(known);
    this.#kept += 1;
    const stat = quietly(() => readStat(this.#proc, pid));
    const atRest = stat?.threads === 1 && stat.state !== 'R';
    if (!atRest || schedstat.says(NO_STATISTICS)) this.#closeSchedstat(known);
  }

  #closeSchedstat(known: Watched): void {
    if (known.schedstat === undefined) return;
    known.schedstat.close();
    known.schedstat = undefined;
    this.#resting.delete(known);
    this.#kept -= 1;
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

  #drop(pid: number, watched: Watched): void {
    this.#closeSchedstat(watched);
    watched.cmdline.close();
    watched.cgroup?.close();
    this.#kept -= watched.kernel ? 1 : 2;
    this.#watched.delete(pid);
  }

  /** undefined where that can't be done: such a process is a new one in every look. */
  #watch(pid: number, now: number): Watched | undefined {
    if (this.#kept + 2 > this.#mostKept) {
      for (const each of this.#resting) this.#closeSchedstat(each);
      if (this.#kept + 2 > this.#mostKept) return undefined;
    }
    const cmdline = KeptFile.open(this.#proc, `${pid}/cmdline`);
    if (cmdline === undefined) return undefined;
    const kind = cmdline.says('') ? this.#kindOf(pid) : 'user';
    const kernel = kind === 'kernel';
    const cgroup = kernel ? undefined : KeptFile.open(this.#proc, `${pid}/cgroup`);
    if (kind === undefined || (cgroup === undefined && !kernel)) {
      cmdline.close();
      cgroup?.close();
      return undefined;
    }
    const unsettledSince = kernel ? undefined : now;
    const watched: Watched = { kernel, cmdline, cgroup, schedstat: undefined, unsettledSince };
    this.#kept += kernel ? 1 : 2;
    this.#watched.set(pid, watched);
    return watched;
  }

  /** What a process without a command line is; undefined where its main thread has exited and others go on, unseen here. */
  #kindOf(pid: number): 'kernel' | 'user' | undefined {
    const stat = quietly(() => readStat(this.#proc, pid));
    if (stat === undefined || (stat.state === 'Z' && stat.threads > 1)) return undefined;
    return isKernelThread(stat) ? 'kernel' : 'user';
  }
}

/** A part of the descriptors that this process may have: the others are for who connects. */
function mostKept(proc: ProcFs): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readText(proc, 'self/limits') ?? '')?.[1];
  return Math.min(MOST_KEPT, Number(limit ?? 0) / 2);
}
