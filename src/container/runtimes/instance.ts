import { readCgroup } from '../../procfs/cgroup.ts';
import { readCmdline } from '../../procfs/cmdline.ts';
import { MalformedError, UnreadableError, type ProcFs } from '../../procfs/fs.ts';
import { readExe, readNamespace } from '../../procfs/links.ts';
import { readMountinfo } from '../../procfs/mountinfo.ts';
import { readStat } from '../../procfs/stat.ts';
import { containerFromCgroup } from '../cgroup-path.ts';
import { hasEnded } from '../ended.ts';
import { hostNamespaces } from '../host-namespaces.ts';
import { containerFromMounts, isOnHost } from '../rootfs.ts';
import { supervisorFrom } from '../supervisor.ts';

/** What is known of a recorded pid: it is the container's, it has ended, it is somebody else's by now; or neither can be told. */
export type RecordedPid = 'alive' | 'ended' | 'reused' | 'unknown';

/** A container as a record names it. */
export interface Recorded {
  id: string;
  /** The layer of its root file system, where that is known. */
  layer: string | undefined;
}

/**
 * Whether a pid in a runtime's record still is the container's process: a record outlives its process, and the number is
 * given away again. A live container's must never look `reused`: that takes proof that it is another's or the host's.
 *
 * @param family the process that was asked about, and its ancestors
 */
export function recordedPid(
  proc: ProcFs,
  pid: number,
  container: Recorded,
  family: readonly number[],
): RecordedPid {
  try {
    const stat = readStat(proc, pid);
    if (stat === undefined || hasEnded(stat)) return 'ended';
    if (family.includes(pid)) return 'alive';
    return whose(proc, pid, stat.ppid, container, family[0] ?? 0);
  } catch (error) {
    if (error instanceof UnreadableError || error instanceof MalformedError) return 'unknown';
    throw error;
  }
}

function whose(
  proc: ProcFs,
  pid: number,
  ppid: number,
  { id, layer }: Recorded,
  relative: number,
): 'alive' | 'reused' | 'unknown' {
  const cgroup = readCgroup(proc, pid) ?? '';
  if (cgroup.includes(id) || keptContainer(proc, ppid) === id) return 'alive';
  const other = containerFromCgroup(cgroup, readCgroup(proc, 1))?.id;
  const namespace = readNamespace(proc, pid, 'mnt');
  if (namespace === undefined) return 'unknown';
  if (hostNamespaces(proc, 'mnt').has(namespace)) return 'reused';
  if (other === undefined && namespace === readNamespace(proc, relative, 'mnt')) return 'alive';

  const mounts = readMountinfo(proc, pid) ?? [];
  const hostMounts = readMountinfo(proc, 1) ?? [];
  const found = containerFromMounts(mounts, hostMounts);
  if (found?.id === id || (layer !== undefined && found?.store?.layer === layer)) return 'alive';
  if (other !== undefined) return 'reused';
  if (found === undefined)
    return hostMounts.length > 0 && isOnHost(mounts, hostMounts) ? 'reused' : 'unknown';
  // docker's id from the mounts may be that of the container whose network it shares.
  if (found.runtime === 'podman' && found.id !== undefined) return 'reused';
  return layer !== undefined && found.store?.layer !== undefined ? 'reused' : 'unknown';
}

/** The container that a process supervises; undefined where it supervises none, or does not say which. */
function keptContainer(proc: ProcFs, pid: number): string | undefined {
  const stat = readStat(proc, pid);
  if (stat === undefined) return undefined;
  const { comm, startTime } = stat;
  const cmdline = readCmdline(proc, pid) ?? [];
  return supervisorFrom({ pid, comm, startTime, cmdline, exe: readExe(proc, pid) })?.containerId;
}
