/** Everything that the checks look at: read once, judged by pure functions. */
export interface DoctorFacts {
  uid: number;
  /** What the process may do beyond its user's rights, capabilities(7). */
  capabilities: { ptrace: boolean; readSearch: boolean; kill: boolean };
  /** Option of the mount of /proc: `off` or `0` is everything, undefined: not set. */
  hidepid: string | undefined;
  /** /proc shows nothing but processes. */
  pidsOnly: boolean;
  /** This is the host's own pid namespace; undefined: not known. */
  hostPids: boolean | undefined;
  pidfd: { available: true; inode: boolean } | { available: false; code: string };
  /** A seccomp filter is on this process. */
  filtered: boolean;
  cgroup: 'v1' | 'hybrid' | 'v2' | 'none';
  /** `6.1.0` */
  kernel: string;
  /** Engines that are in use. */
  engines: { runtime: string; user: string; answered: boolean; reason: string }[];
  /** Users of podmans that lost their alive file while containers run. */
  forgotten: { user: string; conmons: number }[];
  /** Alive files that systemd-tmpfiles removes when they are old. */
  aging: { file: string; rule: string }[];
  /** Rootless users with containers. */
  rootless: { user: string; containers: number; linger: boolean }[];
  /** Units that start containers and leave their processes behind. */
  leaving: { unit: string; file: string; user: string | undefined }[];
  /** undefined: this host is not run by systemd. */
  units: { name: string; installed: boolean; enabled: boolean }[] | undefined;
  clock: { now: number; synchronised: boolean | undefined; newestRecord: number | undefined };
  /** Where the journal and the lock are to be, and why they can't; undefined: they can. */
  state: { directory: string; problem: string | undefined };
}
