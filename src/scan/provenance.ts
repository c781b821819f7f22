import { containerFromCgroup, type CgroupContainer } from '../container/cgroup-path.ts';
import { containerFromMounts } from '../container/rootfs.ts';
import { supersededBy } from '../container/superseded.ts';
import { helperKind, supervisorFrom } from '../container/supervisor.ts';
import type { Ancestor, Provenance, Supervisor } from '../model.ts';
import { readNamespace } from '../procfs/links.ts';
import type { ProcessTable } from './process-table.ts';

/** Answers, for any process of a table, which container it was started as part of and who keeps it. Cached per process. */
export class ProvenanceFinder {
  readonly #table: ProcessTable;
  readonly #self: number;
  readonly #found = new Map<number, Provenance | undefined>();
  readonly #helpers = new Map<number, string | undefined>();
  readonly #supervisors = new Map<number, Supervisor | undefined>();
  readonly #hostNamespaces: ReadonlySet<string>;
  /** By the text of the cgroup file: what runs in one unit or session has the same. */
  readonly #fromCgroup = new Map<string, CgroupContainer | undefined>();
  #keepers: Map<string, Supervisor[]> | undefined;

  /** @param self the pid whose mounts are the host's: orphand's own */
  constructor(table: ProcessTable, self: number) {
    this.#table = table;
    this.#self = self;
    this.#hostNamespaces = new Set([1, self].flatMap((pid) => namespaceQuietly(table, pid)));
  }

  /**
   * A runtime's own process (conmon, a shim …), which may sit in a container's cgroup without being part of it. One that
   * sees a container's mounts is that container's, whatever its program: docker in docker, an image's own `conmon`.
   */
  helper(pid: number): string | undefined {
    return memo(this.#helpers, pid, () => {
      const stat = this.#table.stat(pid);
      if (stat === undefined) return undefined;
      const kind = helperKind({
        comm: stat.comm,
        cmdline: this.#table.cmdline(pid),
        exe: this.#table.exe(pid),
      });
      return kind === undefined || this.#fromMounts(pid) !== undefined ? undefined : kind;
    });
  }

  provenance(pid: number): Provenance | undefined {
    return memo(this.#found, pid, () => this.#find(pid));
  }

  /**
   * The live supervisor of a container's process: the nearest above it, or else the one that keeps the very instance it
   * is in (a `podman exec` whose own conmon has gone is reparented to pid 1, and is alive all the same).
   */
  supervisor(pid: number, provenance: Provenance | undefined): Supervisor | undefined {
    for (const ancestor of this.#table.ancestors(pid)) {
      const supervisor = this.#asSupervisor(ancestor);
      if (supervisor === undefined || !this.#matches(supervisor, pid, provenance)) continue;
      // What runs inside a container does not keep that container, though it be a conmon.
      if (!this.sameContainer(pid, ancestor.pid)) return supervisor;
    }
    if (provenance === undefined) return undefined;
    const keepers = this.#keepersByMounts().get(this.#ownNamespace(pid) ?? '') ?? [];
    return keepers.find((keeper) => !keeper.exec && this.#matches(keeper, pid, provenance));
  }

  /** Whether a process's mounts say whose others with the same are: it is the child of a supervisor. */
  isKept(pid: number): boolean {
    return this.#keeperAbove(pid) !== undefined && this.#ownNamespace(pid) !== undefined;
  }

  /** Set where a process is itself a supervisor whose container runs again under a younger one. */
  supersededSupervisor(pid: number): Supervisor['superseded'] {
    const stat = this.#table.stat(pid);
    return stat === undefined ? undefined : this.#asSupervisor(stat)?.superseded;
  }

  /**
   * The first process above that is not part of the same container: somebody who waits for it. undefined where that is
   * pid 1 or a subreaper (`systemd --user`): then the parent that started it has gone.
   */
  liveParent(pid: number): Ancestor | undefined {
    const outside = this.#table.ancestors(pid).find((ancestor) => !this.sameContainer(pid, ancestor.pid));
    return outside === undefined || this.isReaper(outside) ? undefined : outside;
  }

  /** Whether a process takes over the orphans of others: pid 1, or the systemd of a user (PR_SET_CHILD_SUBREAPER). */
  isReaper(process: { pid: number; comm: string }): boolean {
    return (
      process.pid === 1 || (process.comm === 'systemd' && this.#table.cmdline(process.pid).includes('--user'))
    );
  }

  /** Whether two processes are of the same container: by id, or because they see the same mounts. */
  sameContainer(pid: number, other: number): boolean {
    const keys = this.containerKeys(pid);
    return this.containerKeys(other).some((key) => keys.includes(key));
  }

  /** Whether two processes are of the same life of a container: each life has mounts of its own. */
  sameInstance(pid: number, other: number): boolean {
    const namespace = this.#ownNamespace(pid);
    return namespace !== undefined && namespace === this.#ownNamespace(other);
  }

  /** What names a process's container: its id, and its mount namespace where that is not the host's. Empty without a container. */
  containerKeys(pid: number): string[] {
    const provenance = this.provenance(pid);
    if (provenance === undefined) return [];
    return [provenance.id, this.#ownNamespace(pid)].filter((key) => key !== undefined);
  }

  #ownNamespace(pid: number): string | undefined {
    const namespace = this.#table.mountNamespace(pid);
    return namespace === undefined || this.#hostNamespaces.has(namespace) ? undefined : namespace;
  }

  #find(pid: number): Provenance | undefined {
    if (pid === 1) return undefined;
    const found = this.#fromFiles(pid) ?? this.#fromSupervisor(pid);
    // Asked last, because it takes two more files and most processes of a host have nothing of a container.
    return found === undefined || this.helper(pid) !== undefined ? undefined : found;
  }

  #fromFiles(pid: number): Provenance | undefined {
    const fromMounts = this.#fromMounts(pid);
    const cgroup = this.#table.cgroup(pid);
    const fromCgroup = memo(this.#fromCgroup, cgroup, () =>
      containerFromCgroup(cgroup, this.#table.cgroup(1)),
    );
    if (fromCgroup === undefined) return fromMounts;
    return {
      runtime: fromCgroup.runtime,
      id: fromCgroup.id,
      via: 'cgroup',
      // The mounts name the store even where the cgroup names the container.
      store: fromMounts?.store,
      evidence: [
        { fact: 'container cgroup', value: fromCgroup.path, source: `/proc/${pid}/cgroup` },
        ...(fromMounts?.evidence ?? []),
      ],
    };
  }

  #fromMounts(pid: number): Provenance | undefined {
    const namespace = this.#table.mountNamespace(pid);
    // The host's own mounts name no container. Somebody's chroot into one is not a container's process either.
    if (namespace !== undefined && this.#hostNamespaces.has(namespace)) return undefined;
    const found = containerFromMounts(this.#table.mounts(pid), this.#table.mounts(this.#self));
    if (found === undefined) return undefined;
    // Whose mounts they are is known here only.
    return {
      ...found,
      evidence: found.evidence.map((each) => ({ ...each, source: `/proc/${pid}/mountinfo` })),
    };
  }

  /** Neither cgroup nor mounts say so, but its parent is a container's supervisor (`--rootfs /`, an exotic store). */
  #fromSupervisor(pid: number): Provenance | undefined {
    const supervisor = this.#keeperAbove(pid);
    if (supervisor?.containerId === undefined) return undefined;
    return {
      runtime: supervisor.comm.startsWith('conmon') ? 'podman' : 'containerd',
      id: supervisor.containerId,
      via: 'supervisor',
      store: undefined,
      evidence: [
        {
          fact: 'child of supervisor',
          value: `${supervisor.pid} (${supervisor.comm})`,
          source: `/proc/${pid}/stat`,
        },
      ],
    };
  }

  #asSupervisor(ancestor: { pid: number; comm: string; startTime: number }): Supervisor | undefined {
    return memo(this.#supervisors, ancestor.pid, () => {
      const { pid, comm, startTime } = ancestor;
      const cmdline = this.#table.cmdline(pid);
      const supervisor = supervisorFrom({ pid, comm, startTime, cmdline, exe: this.#table.exe(pid) });
      if (supervisor === undefined) return undefined;
      return { ...supervisor, superseded: supersededBy(this.#table.proc, { supervisor, cmdline }) };
    });
  }

  /** Supervisors by the mount namespaces of their children: whose instance a namespace is. */
  #keepersByMounts(): Map<string, Supervisor[]> {
    if (this.#keepers === undefined) {
      this.#keepers = new Map<string, Supervisor[]>();
      for (const pid of this.#table.userPids) {
        const keeper = this.#keeperAbove(pid);
        const namespace = keeper === undefined ? undefined : this.#ownNamespace(pid);
        if (keeper === undefined || namespace === undefined || this.sameContainer(pid, keeper.pid)) continue;
        this.#keepers.set(namespace, [...(this.#keepers.get(namespace) ?? []), keeper]);
      }
    }
    return this.#keepers;
  }

  #keeperAbove(pid: number): Supervisor | undefined {
    const parent = this.#table.stat(this.#table.stat(pid)?.ppid ?? 0);
    return parent === undefined ? undefined : this.#asSupervisor(parent);
  }

  /**
   * A supervisor that names a container keeps that one only; the id may stand at any level of the cgroup path, so that a
   * container inside a live container is kept by the outer one's supervisor.
   */
  #matches(supervisor: Supervisor, pid: number, provenance: Provenance | undefined): boolean {
    const { containerId } = supervisor;
    // The mounts of a container inside a container may name anything: who is above keeps it.
    if (containerId === undefined || provenance?.id === undefined || provenance.via === 'rootfs') return true;
    return provenance.id === containerId || this.#table.cgroup(pid).includes(containerId);
  }
}

function namespaceQuietly(table: ProcessTable, pid: number): string[] {
  try {
    return [readNamespace(table.proc, pid, 'mnt')].filter((namespace) => namespace !== undefined);
  } catch {
    return [];
  }
}

function memo<K, T>(cache: Map<K, T>, key: K, compute: () => T): T {
  if (!cache.has(key)) cache.set(key, compute());
  return cache.get(key) as T;
}
