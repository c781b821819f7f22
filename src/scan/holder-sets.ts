import type { Holders } from '../procfs/fd.ts';

/** Who holds which sockets, as it is found out: in any order, and the same again. */
export class HolderSets {
  readonly #pids = new Map<number, Set<number>>();

  add(inode: number, pid: number): void {
    this.#pids.set(inode, (this.#pids.get(inode) ?? new Set()).add(pid));
  }

  addAll({ holders }: Pick<Holders, 'holders'>): void {
    for (const [inode, pids] of holders) for (const pid of pids) this.add(inode, pid);
  }

  has(inode: number, pid: number): boolean {
    return this.#pids.get(inode)?.has(pid) === true;
  }

  /** Whether each of these sockets has somebody who holds it. */
  haveAll(inodes: ReadonlySet<number>): boolean {
    return [...inodes].every((inode) => this.#pids.has(inode));
  }

  sorted(): Holders['holders'] {
    return new Map([...this.#pids].map(([inode, pids]) => [inode, [...pids].sort((a, b) => a - b)]));
  }
}
