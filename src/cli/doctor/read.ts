import { accessSync, constants, lstatSync, statfsSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import type { Config } from '../../config/config.ts';
import { errorCode } from '../../container/record-file.ts';
import type { Host } from '../../container/runtimes/host.ts';
import { libc } from '../../linux/libc.ts';
import { pidFdSupport } from '../../linux/pidfd.ts';
import { readText, type ProcFs } from '../../procfs/fs.ts';
import { readMountinfo } from '../../procfs/mountinfo.ts';
import { readJournal } from '../../reap/journal-read.ts';
import type { DoctorFacts } from './facts.ts';
import { readPodman } from './read-podman.ts';
import { readUnits } from './read-units.ts';

/** capability(7) */
const capabilities = { kill: 5n, readSearch: 2n, ptrace: 19n } as const;
/** statfs(2) */
const CGROUP2_MAGIC = 0x63677270;
/** The first pid namespace's inode, PROC_PID_INIT_INO in include/linux/proc_ns.h. */
const HOST_PIDS = 'pid:[4026531836]';
/** adjtimex(2) */
const TIME_ERROR = 5;

/** Reads everything that the checks look at; starts podman and docker once, to see whether they answer. */
export async function readFacts(config: Config, proc: ProcFs, host: Host): Promise<DoctorFacts> {
  const status = readText(proc, 'self/status') ?? '';
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const has = (bit: bigint): boolean => (effective & (1n << bit)) !== 0n;
  const options =
    (readMountinfo(proc, process.pid) ?? []).findLast(({ mountPoint }) => mountPoint === proc.root)
      ?.superOptions ?? [];
  const option = (name: string): string | undefined =>
    options.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
  return {
    uid: process.geteuid?.() ?? 0,
    capabilities: {
      kill: has(capabilities.kill),
      readSearch: has(capabilities.readSearch),
      ptrace: has(capabilities.ptrace),
    },
    hidepid: option('hidepid'),
    pidsOnly: option('subset')?.split('+').includes('pid') === true,
    hostPids: hostPids(),
    pidfd: pidFdSupport(),
    filtered: /^Seccomp:\s*2$/m.test(status),
    cgroup: cgroupVersion(host),
    kernel: release(),
    ...(await readPodman(config, proc, host)),
    ...readUnits(host),
    clock: { now: Date.now(), synchronised: synchronised(), newestRecord: newestRecord(config, proc) },
    state: { directory: config.stateDirectory, problem: unwritable(config.stateDirectory) },
  };
}

function hostPids(): boolean | undefined {
  try {
    return `pid:[${statSync('/proc/self/ns/pid').ino}]` === HOST_PIDS;
  } catch {
    return undefined;
  }
}

function cgroupVersion(host: Host): DoctorFacts['cgroup'] {
  const type = (path: string): number | undefined => {
    try {
      return statfsSync(host.path(path)).type;
    } catch {
      return undefined;
    }
  };
  const top = type('/sys/fs/cgroup');
  if (top === CGROUP2_MAGIC) return 'v2';
  if (type('/sys/fs/cgroup/unified') === CGROUP2_MAGIC) return 'hybrid';
  return host.exists('/sys/fs/cgroup/freezer') || host.exists('/sys/fs/cgroup/systemd') ? 'v1' : 'none';
}

function synchronised(): boolean | undefined {
  try {
    // Larger than struct timex; zero is "tell me", which changes nothing.
    const answer = libc().adjtimex(Buffer.alloc(512));
    return answer < 0 ? undefined : answer !== TIME_ERROR;
  } catch {
    return undefined;
  }
}

function newestRecord({ stateDirectory }: Config, proc: ProcFs): number | undefined {
  try {
    const at = Date.parse(readJournal(stateDirectory, proc)[0]?.at ?? '');
    return Number.isNaN(at) ? undefined : at;
  } catch {
    return undefined;
  }
}

/** Whether a directory, or where it would be made, may be written; nothing is made. */
function unwritable(directory: string): string | undefined {
  let at = directory;
  while (lstatSync(at, { throwIfNoEntry: false }) === undefined && at !== dirname(at)) at = dirname(at);
  try {
    accessSync(at, constants.W_OK | constants.X_OK);
    return statSync(at).isDirectory() ? undefined : `${at} is no directory`;
  } catch (error) {
    return `${at}: ${errorCode(error)}`;
  }
}
