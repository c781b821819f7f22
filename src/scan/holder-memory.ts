import { quietly } from '../container/quietly.ts';
import type { Unreadable } from '../model.ts';
import type { Holders } from '../procfs/fd.ts';
import { listNumbers, type ProcFs } from '../procfs/fs.ts';
import type { Steps } from '../procfs/steps.ts';
import { walkHoldersFast } from './holders.ts';
import { isSocket } from './is-socket.ts';

/** The processes whose descriptors may be looked through. */
export interface Walk {
  pids: readonly number[];
  /** Those of which it is not known what they hold. */
  changed: ReadonlySet<number>;
  /** Look through all, whatever is known. */
  whole: boolean;
}

/**
 * Who holds which sockets, remembered from one look to the next. A process gets a socket that is there already by being
 * forked, which makes it a new process: only new ones are looked through, until a socket is new or a holder of one has
 * lost it. One that is handed over through a unix socket (SCM_RIGHTS) or taken (pidfd_getfd(2)) is seen by the next whole walk.
 */
export class HolderMemory {
  readonly #proc: ProcFs;
  #known: Map<number, number[]> | undefined;
  #unreadable: Unreadable[] = [];
  /** Under which number, by pid and inode. */
  readonly #places = new Map<string, number>();

  constructor(proc: ProcFs) {
    this.#proc = proc;
  }

  *find(inodes: ReadonlySet<number>, { pids, changed, whole }: Walk): Steps<Holders> {
    const before = this.#known;
    // Whatever keeps this look from its end, the next one starts from nothing.
    this.#known = undefined;
    const present = new Set(pids);
    const asBefore =
      before !== undefined && !whole && [...inodes].every((inode) => this.#isHeld(inode, before, present));
    const walked = inodes.size === 0 ? [] : asBefore ? pids.filter((pid) => changed.has(pid)) : pids;
    const found = yield* walkHoldersFast(this.#proc, walked, inodes);

    const known = new Map<number, number[]>();
    for (const inode of inodes) {
      const mine = new Set([
        ...(asBefore ? (before.get(inode) ?? []) : []),
        ...(found.holders.get(inode) ?? []),
      ]);
      known.set(
        inode,
        [...mine].sort((a, b) => a - b),
      );
    }
    const anew = new Set(walked);
    const still = this.#unreadable.filter(({ pid }) => present.has(pid) && !anew.has(pid));
    this.#unreadable = [...(asBefore ? still : []), ...found.unreadable].sort((a, b) => a.pid - b.pid);
    this.#forgetPlaces(known);
    this.#known = known;
    return {
      holders: new Map([...known].filter(([, holders]) => holders.length > 0)),
      unreadable: this.#unreadable,
    };
  }

  /** Whether everyone who held a socket still does. */
  #isHeld(
    inode: number,
    before: ReadonlyMap<number, readonly number[]>,
    present: ReadonlySet<number>,
  ): boolean {
    const holders = before.get(inode);
    if (holders === undefined) return false;
    // Somebody has it: who began to when it was looked for, or one whose descriptors may not be seen.
    if (holders.length === 0) return this.#unreadable.length > 0;
    return holders.every((pid) => present.has(pid) && this.#holds(pid, inode));
  }

  #holds(pid: number, inode: number): boolean {
    const key = `${pid} ${inode}`;
    const place = this.#places.get(key);
    if (place !== undefined && isSocket(this.#proc, `${pid}/fd/${place}`, inode)) return true;
    // Found out here and not by the walk, which often knows it otherwise: it is among the lowest numbers.
    const found = quietly(() => listNumbers(this.#proc, `${pid}/fd`))?.find((fd) =>
      isSocket(this.#proc, `${pid}/fd/${fd}`, inode),
    );
    if (found === undefined) return false;
    this.#places.set(key, found);
    return true;
  }

  #forgetPlaces(known: ReadonlyMap<number, readonly number[]>): void {
    const keys = new Set([...known].flatMap(([inode, holders]) => holders.map((pid) => `${pid} ${inode}`)));
    for (const key of this.#places.keys()) if (!keys.has(key)) this.#places.delete(key);
  }
}
