import type { Ancestor } from '../model.ts';
import { matchingPatterns } from './patterns.ts';
import type { ProcessTable } from './process-table.ts';
import type { ProvenanceFinder } from './provenance.ts';
import { unitOf } from './unit.ts';
import { cgroupPath } from '../procfs/cgroup.ts';

export interface StackRoot {
  pid: number;
  comm: string;
  /** Its parent has gone: pid 1 or a subreaper took it over, and no systemd unit owns it. */
  reparented: boolean;
  /** The parent, where that lives. */
  parent: Ancestor | undefined;
}

/**
 * Host processes that match a stack pattern, and what descends from them: the workers of a server that lost its parent
 * hold its socket too, and need not match a pattern themselves (multiprocessing's `spawn_main`).
 */
export class StackTrees {
  readonly #table: ProcessTable;
  readonly #provenance: ProvenanceFinder;
  readonly #patterns: ReadonlyMap<string, RegExp>;
  readonly #hostRoot: string;
  /** orphand and its ancestors: a start script that runs `orphand preflight` is alive, whatever its parent is. */
  readonly #protected: ReadonlySet<number>;
  readonly #matches = new Map<number, string[]>();

  constructor(options: {
    table: ProcessTable;
    provenance: ProvenanceFinder;
    patterns: ReadonlyMap<string, RegExp>;
    hostRoot: string;
    protectedPids: ReadonlySet<number>;
  }) {
    this.#table = options.table;
    this.#provenance = options.provenance;
    this.#patterns = options.patterns;
    this.#hostRoot = options.hostRoot;
    this.#protected = options.protectedPids;
  }

  patterns(pid: number): string[] {
    let found = this.#matches.get(pid);
    if (found === undefined) {
      found = matchingPatterns(this.#table.cmdline(pid), this.#patterns);
      this.#matches.set(pid, found);
    }
    return found;
  }

  /** The topmost process of the stack tree that a host process is part of, itself included. */
  root(pid: number): StackRoot | undefined {
    let root: { pid: number; comm: string } | undefined;
    const self = this.#table.stat(pid);
    const chain = self === undefined ? [] : [self, ...this.#table.ancestors(pid)];
    // Most processes of a host are far from any stack: look at command lines before anything dearer.
    if (!chain.some((each) => this.patterns(each.pid).length > 0)) return undefined;
    for (const each of chain) {
      // A container's or a runtime's process is judged by its own rules, and so is what it starts.
      if (
        this.#provenance.helper(each.pid) !== undefined ||
        this.#provenance.provenance(each.pid) !== undefined
      )
        break;
      if (this.patterns(each.pid).length > 0) root = { pid: each.pid, comm: each.comm };
    }
    if (root === undefined) return undefined;
    const [parent] = this.#table.ancestors(root.pid);
    const lostParent =
      parent !== undefined && this.#provenance.isReaper(parent) && !this.#isOfInit(root.pid, parent.pid);
    const owned = unitOf(cgroupPath(this.#table.cgroup(root.pid)), this.#hostRoot) !== undefined;
    return {
      pid: root.pid,
      comm: root.comm,
      reparented: lostParent && !owned && !this.#protected.has(root.pid),
      parent: lostParent ? undefined : parent,
    };
  }

  /**
   * Whether pid 1 may well have started a process itself, as the entrypoint of a container does (`docker run --init`, a start
   * script) that orphand runs in: what was left to it by others has another session, which an init gives each service.
   */
  #isOfInit(pid: number, parent: number): boolean {
    return parent === 1 && this.#table.stat(pid)?.session === this.#table.stat(1)?.session;
  }
}
