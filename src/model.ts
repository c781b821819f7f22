/** The words that every part of orphand shares. No imports, no code. Source: docs of each field. */

/** What a process is, in one word (DESIGN.md section 2). Only `orphan` and, on request, `suspect` are ended. */
export type Verdict = 'orphan' | 'suspect' | 'container' | 'helper' | 'host' | 'unknown';

/** Why a verdict was given. The codes are stable: people and alerts match them. */
export type Reason =
  | 'supervised'
  | 'runtime-lost-track'
  | 'container-gone'
  | 'container-exited'
  | 'superseded-instance'
  | 'previous-instance'
  | 'supervisor-dead'
  | 'runtime-silent'
  | 'container-process-with-parent'
  | 'stack-process-reparented'
  | 'stack-process-with-parent'
  | 'systemd-unit'
  | 'unit-inactive'
  | 'not-the-stack'
  | 'unreadable'
  | 'runtime-helper'
  | 'protected';

/** One fact that a person can check: what, which value, and the file or command that says so. */
export interface Evidence {
  fact: string;
  value: string;
  source: string;
}

/** A process for as long as this boot lasts: a pid alone is reused. */
export interface ProcessIdentity {
  /** /proc/sys/kernel/random/boot_id */
  bootId: string;
  pid: number;
  /** Clock ticks after boot, /proc/PID/stat field 22 (proc(5)). */
  startTime: number;
  /** Inode of the pidfd, unique within a boot on kernel 6.9 and newer; undefined where the kernel has no pidfs. */
  pidfdInode?: string | undefined;
}

export type Protocol = 'tcp' | 'udp';

/** A row of /proc/net/tcp or tcp6 in state 0A (listening), or of udp and udp6 (bound). */
export interface Listener {
  protocol: Protocol;
  /** `0.0.0.0`, `127.0.0.1`, `::`, `::1` … in text form. */
  address: string;
  port: number;
  /** Socket inode, as in `socket:[INODE]` of /proc/PID/fd. */
  inode: number;
  /** Effective uid of the socket's creator. */
  uid: number;
}

/** A port that the configuration watches. */
export interface WatchedPort {
  port: number;
  protocol: Protocol;
  /** What people call the service, for messages and metrics. */
  service: string;
}

/** Something needed that could not be read, as errno name. A fact, never a guess. */
export interface Unreadable {
  pid: number;
  file: string;
  code: string;
}

/** A process on the way from another process to pid 1. */
export interface Ancestor {
  pid: number;
  ppid: number;
  comm: string;
  startTime: number;
}

export type RuntimeName =
  | 'podman'
  | 'docker'
  | 'containerd'
  | 'crio'
  | 'lxc'
  | 'libvirt-lxc'
  | 'nspawn'
  | 'garden'
  | 'ecs'
  | 'kubernetes-unknown'
  | 'unknown';

/** A container store that a mount of the process names, whatever its cgroup says. */
export interface ContainerStore {
  /** podman: the graph root, `/var/lib/containers/storage`; docker: the data root, `/var/lib/docker`. */
  root: string;
  /** containers-storage driver (`overlay`, `vfs`, `btrfs`): the record is ROOT/DRIVER-containers/containers.json. */
  driver: string | undefined;
  /** podman's run root (`/run/containers/storage`), where pidfile and conmon.pid are. */
  runRoot: string | undefined;
  /** The layer that the root file system is, `layer` in containers.json. */
  layer: string | undefined;
}

/** Says that a process was started as part of a container, and how that is known. */
export interface Provenance {
  runtime: RuntimeName;
  /** undefined where only the store is known (a record that is gone, a cgroup that says nothing). */
  id: string | undefined;
  via: 'cgroup' | 'rootfs' | 'supervisor';
  store: ContainerStore | undefined;
  evidence: Evidence[];
}

/** A live process that keeps a container: conmon, a shim, an lxc monitor, systemd-nspawn. */
export interface Supervisor {
  pid: number;
  comm: string;
  startTime: number;
  /** The container that its arguments name; undefined where they name none. */
  containerId: string | undefined;
  /** conmon of `podman exec`: supervises a session, is no second life of the container. */
  exec: boolean;
  /** Set when the runtime's younger record of the same container names another supervisor. */
  superseded: { byPid: number; evidence: Evidence[] } | undefined;
}

/** What the runtimes say of one container, all sources that could own it taken together. */
export type ContainerState =
  | 'running'
  | 'paused'
  | 'stopping'
  | 'restarting'
  | 'created'
  | 'exited'
  /** Every runtime that could own it answered, none knows it. */
  | 'absent'
  /** A runtime is installed, none could be asked. */
  | 'silent'
  /** The runtime that the cgroup or store names is not on this host. */
  | 'not-installed';

export interface ContainerView {
  state: ContainerState;
  /** Host pid of the current instance's first process, as recorded; undefined when none is. */
  pid: number | undefined;
  name: string | undefined;
  labels: Record<string, string>;
  /** Restarts by policy, where the runtime tells. */
  restartCount: number | undefined;
  evidence: Evidence[];
}

/** One runtime that was asked, in the report. */
export interface RuntimeStatus {
  name: string;
  /** Whose: `root`, or the user of a rootless podman. */
  user: string;
  available: boolean;
  /** Why it is not available, or where the answer came from. */
  reason: string;
}

/** The systemd unit whose cgroup a process is in. */
export interface Unit {
  name: string;
  manager: 'system' | 'user';
  /** undefined: not known. */
  active: boolean | undefined;
  evidence: Evidence[];
}

/** Everything that `classify` may look at, for one process. */
export interface ProcessFacts {
  pid: number;
  startTime: number;
  startedAt: string;
  ppid: number;
  state: string;
  uid: number;
  user: string;
  comm: string;
  cmdline: string[];
  exe: string | undefined;
  cgroup: string;
  unit: Unit | undefined;
  /** Parent first, pid 1 last; empty for pid 1 and kernel threads. */
  ancestors: Ancestor[];
  /** The nearest ancestor outside this process's container or stack tree; undefined when that is pid 1 or a subreaper. */
  liveParent: Ancestor | undefined;
  container: Provenance | undefined;
  supervisor: Supervisor | undefined;
  view: ContainerView | undefined;
  /** Whether `view.pid` is this process or an ancestor. `none`: no pid recorded, or it no longer runs. */
  currentInstance: 'self' | 'other' | 'none';
  /** Which runtime process this is, by its program and arguments. */
  helper: string | undefined;
  /** Set on a supervisor whose own container has a younger one. */
  superseded: Supervisor['superseded'];
  /** Stack patterns that the command line matches. */
  patterns: string[];
  /** The topmost process of this stack tree (may be the process itself), if it is part of one. */
  stackRoot: { pid: number; comm: string; reparented: boolean } | undefined;
  protectedAs: 'pid 1' | 'kernel thread' | 'orphand' | 'ancestor of orphand' | undefined;
  /** Ports, of the watched ones, whose listening socket it holds. */
  ports: number[];
  inScope: boolean;
  unreadable: Unreadable[];
}

export interface Judgement {
  verdict: Verdict;
  reason: Reason;
  evidence: Evidence[];
  /** Something a person should know although nothing will be done. */
  warning?: string;
}

/** A process in the report, as JSON shows it. */
export interface ReportedProcess {
  pid: number;
  startTime: number;
  startedAt: string;
  ppid: number;
  uid: number;
  user: string;
  comm: string;
  cmdline: string[];
  exe: string | null;
  cgroup: string;
  unit: string | null;
  container: { runtime: string; id: string | null; name: string | null } | null;
  supervisor: { pid: number; comm: string } | null;
  ports: number[];
  patterns: string[];
  /** false: an unsupervised container that is not the stack's. Reported, never ended. */
  inScope: boolean;
  verdict: Verdict;
  reason: Reason;
  /** The cause in one sentence. */
  cause: string;
  warning: string | null;
  evidence: Evidence[];
}

export interface ReportedListener {
  address: string;
  inode: number;
  uid: number;
  holders: number[];
}

export interface ReportedPort extends WatchedPort {
  state: 'free' | 'held';
  listeners: ReportedListener[];
}

export type Summary = Record<Verdict, number>;

/** `scan --json` and `GET /api/v1/scan`: the same object. */
export interface Report {
  schema: 1;
  bootId: string;
  /** RFC 3339, UTC. */
  takenAt: string;
  durationMs: number;
  /** Whether every process of the host could be read. */
  privileged: boolean;
  unreadable: Unreadable[];
  runtimes: RuntimeStatus[];
  ports: ReportedPort[];
  processes: ReportedProcess[];
  summary: Summary;
}

/** A process that a plan chose to end, and why. */
export interface Target {
  identity: ProcessIdentity;
  comm: string;
  cmdline: string[];
  verdict: 'orphan' | 'suspect';
  reason: Reason;
  cause: string;
  ports: number[];
  container: ReportedProcess['container'];
  uid: number;
  /** An old supervisor: ended with SIGKILL before its container, so that its exit command does not run. */
  supervisor: boolean;
}

export type Outcome = 'terminated' | 'killed' | 'gone' | 'survived' | 'refused' | 'planned';

export interface ActionStep {
  /** RFC 3339, UTC. */
  at: string;
  /** `SIGTERM`, `SIGKILL`, `cgroup.kill`, `freezer`, `podman stop`, `podman rm` */
  signal: string;
}

export interface Action {
  pid: number;
  startTime: number;
  comm: string;
  verdict: 'orphan' | 'suspect';
  reason: Reason;
  ports: number[];
  steps: ActionStep[];
  outcome: Outcome;
  /** Why, for `refused` and `survived`. */
  detail: string | null;
  ms: number;
}

export interface CleanedPort {
  port: number;
  service: string;
  state: 'free' | 'held';
  /** Held by a target before, and free of ours now. */
  freed: boolean;
  ms: number;
}

export type Trigger = 'clean' | 'sweep' | 'boot' | 'stop' | 'preflight' | 'api';

/** `clean --json` and `GET /api/v1/cleanups/:id`: the scan before, and what was done. */
export interface CleanReport {
  id: string;
  trigger: Trigger;
  dryRun: boolean;
  scan: Report;
  actions: Action[];
  ports: CleanedPort[];
  /** What still is an orphan, suspect or unknown, or holds a port that a target held. */
  remaining: ReportedProcess[];
  ok: boolean;
}
