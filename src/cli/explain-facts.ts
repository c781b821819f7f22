import type { Config } from '../config/config.ts';
import { Runtimes } from '../container/runtimes/runtimes.ts';
import type { ContainerView, Evidence, Report, ReportedProcess } from '../model.ts';
import { UnreadableError } from '../procfs/fs.ts';
import { ProcessTable } from '../scan/process-table.ts';
import { ProvenanceFinder } from '../scan/provenance.ts';
import { queryFor } from '../scan/stack-containers.ts';
import { blastOf } from './blast.ts';
import type { Blast } from './blast.ts';
import { chainTo } from './chain.ts';
import type { Link } from './chain.ts';
import { cureOf } from './cure.ts';

/** What the runtimes say of a process's container, asked though its record may have been enough for the verdict. */
export interface RuntimeAnswer {
  state: ContainerView['state'];
  pid: number | null;
  restartCount: number | null;
  /** Each source's own words. */
  answers: Evidence[];
}

/** Everything that is told of one process. */
export interface Explained {
  process: ReportedProcess;
  chain: Link[];
  /** null: it belongs to no container. */
  runtime: RuntimeAnswer | null;
  /** null: nothing of it is to be ended. */
  blast: Blast | null;
  cure: string;
}

/** Finds out of processes what a report has no place for; one for each call of `explain`. */
export class Explainer {
  readonly #table = new ProcessTable({ root: '/proc' });
  readonly #provenance = new ProvenanceFinder(this.#table, process.pid);
  readonly #runtimes: Runtimes;

  constructor({ runtimeTimeoutMs }: Config) {
    this.#runtimes = new Runtimes({ proc: this.#table.proc, timeoutMs: runtimeTimeoutMs, cli: true });
  }

  async explain(one: ReportedProcess, report: Report): Promise<Explained> {
    return {
      process: one,
      chain: this.chain(one.pid),
      runtime: await this.#runtime(one),
      blast: blastOf(one, report, this.#table),
      cure: cureOf(one),
    };
  }

  /** From pid 1 to a process; empty where there is none, or where it is hidden (the report says what could not be read). */
  chain(pid: number): Link[] {
    try {
      return chainTo(this.#table.proc, pid);
    } catch (error) {
      if (error instanceof UnreadableError) return [];
      throw error;
    }
  }

  async #runtime({ pid, container }: ReportedProcess): Promise<RuntimeAnswer | null> {
    const query = container === null ? undefined : queryFor(pid, this.#table, this.#provenance);
    if (query === undefined) return null;
    const view = await this.#runtimes.view(query, { labels: true });
    return {
      state: view.state,
      pid: view.pid ?? null,
      restartCount: view.restartCount ?? null,
      answers: view.evidence,
    };
  }
}
