import { ExitWatch } from '../linux/exit-watch.ts';
import { PidFdUnavailableError } from '../linux/pidfd.ts';
import type { Report } from '../model.ts';
import { MalformedError, UnreadableError, type ProcFs } from '../procfs/fs.ts';
import { readStat } from '../procfs/stat.ts';

export interface SupervisorWatchOptions {
  proc: ProcFs;
  /** `comm` is undefined for the parent of a stack process: no container's supervisor, but its death makes an orphan as well. */
  onDeath: (pid: number, comm: string | undefined) => void;
  /** Told once when processes can't be watched here: sweeps then come by the clock alone. */
  onUnavailable: (error: PidFdUnavailableError) => void;
}

// Each costs a descriptor; the unit allows 8192.
const MOST = 1024;

/** Waits between the sweeps for the death of what keeps the containers in scope, and of the parents of stack processes. */
export class SupervisorWatch {
  readonly #options: SupervisorWatchOptions;
  readonly #watch: ExitWatch;
  #comms = new Map<number, string | undefined>();
  #available = true;

  constructor(options: SupervisorWatchOptions) {
    this.#options = options;
    this.#watch = new ExitWatch((pid) => {
      const comm = this.#comms.get(pid);
      this.#comms.delete(pid);
      options.onDeath(pid, comm);
    });
  }

  /** Watches the supervisors that a report names, and no others. */
  follow(report: Report): void {
    if (!this.#available) return;
    const wanted = new Map([...supervisors(report)].slice(0, MOST));
    for (const pid of this.#watch.pids()) if (!wanted.has(pid)) this.#watch.remove(pid);
    for (const [pid, comm] of wanted) {
      if (!this.#watch.pids().includes(pid) && !this.#add(pid, comm)) wanted.delete(pid);
    }
    this.#comms = wanted;
  }

  count(): number {
    return this.#watch.pids().length;
  }

  close(): void {
    this.#watch.close();
  }

  #add(pid: number, comm: string | undefined): boolean {
    if (!this.#available) return false;
    try {
      if (!this.#watch.add(pid)) return false;
    } catch (error) {
      if (!(error instanceof PidFdUnavailableError)) throw error;
      this.#available = false;
      this.#watch.close();
      this.#options.onUnavailable(error);
      return false;
    }
    // It may have died, and its pid been given away, between the look and the pidfd: then the look after next finds out.
    if (comm === undefined || commOf(this.#options.proc, pid) === comm) return true;
    this.#watch.remove(pid);
    return false;
  }
}

function supervisors(report: Report): Map<number, string | undefined> {
  const found = new Map<number, string | undefined>();
  for (const { inScope, supervisor, reason, ppid } of report.processes) {
    if (!inScope) continue;
    if (supervisor !== null) found.set(supervisor.pid, supervisor.comm);
    // Without a container it is the parent whose death makes an orphan; the report does not name it.
    if (reason === 'stack-process-with-parent' && ppid > 1 && !found.has(ppid)) found.set(ppid, undefined);
  }
  return found;
}

function commOf(proc: ProcFs, pid: number): string | undefined {
  try {
    return readStat(proc, pid)?.comm;
  } catch (error) {
    if (error instanceof UnreadableError || error instanceof MalformedError) return undefined;
    throw error;
  }
}
