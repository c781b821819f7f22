import type { ProcFs } from '../procfs/fs.ts';
import type { Steps } from '../procfs/steps.ts';
import { HolderMemory, type Walk } from './holder-memory.ts';
import type { Selection } from './process-table.ts';
import { ProcessWatch } from './process-watch.ts';

/** What a scan may leave out, because the one before has seen it. */
export interface Recollection extends Walk {
  /** The processes that matter, where the others are known not to. */
  selection: Selection | undefined;
}

/**
 * What the scans of a daemon know from each other. What a process is, who keeps it and what its runtime says is read anew
 * by each; remembered is only which processes it need not be asked of: those that were nothing of a container or the
 * stack, held no watched socket, and have the command line and cgroup that they had.
 */
export class ScanMemory {
  readonly holders: HolderMemory;
  readonly #watch: ProcessWatch;
  #selection: Selection | undefined;

  constructor(proc: ProcFs, monotonic: () => number) {
    this.#watch = new ProcessWatch(proc, monotonic);
    this.holders = new HolderMemory(proc);
  }

  /**
   * @param whole read everything, whatever seems unchanged
   * @param forks how many there have been on this system (SystemStat); undefined where not every process can be seen
   */
  *begin(whole: boolean, forks: number | undefined): Steps<Recollection> {
    const before = this.#selection;
    // Whatever keeps this scan from its end, the next one is whole.
    this.#selection = undefined;
    const all = whole || before === undefined;
    const { pids, changed, settled } = yield* this.#watch.look(all, forks);
    return { pids, changed, whole: all, selection: settled && !whole ? before : undefined };
  }

  /** What a scan that has come to its end found to matter. */
  end(selection: Selection): void {
    this.#selection = selection;
  }

  close(): void {
    this.#watch.close();
  }
}
