import type { ProcFs } from '../procfs/fs.ts';
import { usesTcp6 } from '../procfs/net.ts';
import type { Steps } from '../procfs/steps.ts';
import { HolderMemory, type Walk } from './holder-memory.ts';
import type { Selection } from './process-table.ts';
import { ProcessWatch } from './process-watch.ts';

/** What a scan may leave out, because the one before has seen it. */
export interface Recollection extends Walk {
  /** The processes that matter, where the others are known not to. */
  selection: Selection | undefined;
  /** Whether there may be listeners on IPv6. */
  tcp6: boolean;
}

/**
 * What the scans of a daemon know from each other. What a process is, who keeps it and what its runtime says is read anew
 * by each; remembered is only which processes it need not be asked of: those that were nothing of a container or the
 * stack, held no watched socket, and have the command line and cgroup that they had.
 */
export class ScanMemory {
  readonly holders: HolderMemory;
  readonly #proc: ProcFs;
  readonly #watch: ProcessWatch;
  #selection: Selection | undefined;
  #usedTcp6 = true;

  constructor(proc: ProcFs, monotonic: () => number) {
    this.#proc = proc;
    this.#watch = new ProcessWatch(proc, monotonic);
    this.holders = new HolderMemory(proc);
  }

  /** @param whole read everything, whatever seems unchanged */
  *begin(whole: boolean): Steps<Recollection> {
    const before = this.#selection;
    const used = this.#usedTcp6;
    // Whatever keeps this scan from its end, the next one is whole.
    this.#selection = undefined;
    this.#usedTcp6 = usesTcp6(this.#proc);
    const { pids, changed, settled } = yield* this.#watch.look();
    return {
      pids,
      changed,
      whole: whole || before === undefined,
      selection: settled && !whole ? before : undefined,
      // Counted on each processor, and not at the same moment: a single zero may be wrong.
      tcp6: whole || used || this.#usedTcp6,
    };
  }

  /** What a scan that has come to its end found to matter. */
  end(selection: Selection): void {
    this.#selection = selection;
  }

  close(): void {
    this.#watch.close();
  }
}
