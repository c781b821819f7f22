import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseCgroup, type CgroupLine } from '../procfs/cgroup.ts';
import type { Mount } from '../procfs/mountinfo.ts';

/** The directory of a container's own cgroup, as this process sees it. */
export interface ContainerCgroup {
  version: 'v2' | 'v1-freezer';
  directory: string;
}

/**
 * The cgroups that are named for this container, at its own level and no higher: v2 first, then the v1 freezer's
 * (cgroups(7)). None where the path is the root, names nothing, or names the container only for its supervisor.
 */
export function containerCgroups(
  cgroupText: string,
  containerId: string,
  mounts: readonly Mount[],
): ContainerCgroup[] {
  // Names of lxc or nspawn machines are not unique enough to act on.
  if (!/^[0-9a-f]{64}$/.test(containerId)) return [];
  return parseCgroup(cgroupText)
    .flatMap((line) => {
      const version = versionOf(line);
      const level = ownLevel(line.path, containerId);
      if (version === undefined || level === undefined) return [];
      const directory = mounts
        .map((mount) => locate(mount, version, level))
        .find((found) => found !== undefined);
      return directory === undefined ? [] : [{ version, directory }];
    })
    .sort((one, other) => Number(one.version !== 'v2') - Number(other.version !== 'v2'));
}

/** The v1 freezer's cgroup of a process with this cgroup file, and where that hierarchy is mounted; undefined where there is none. */
export function freezerOf(
  cgroupText: string,
  mounts: readonly Mount[],
): { directory: string; top: string } | undefined {
  const line = parseCgroup(cgroupText).find((each) => versionOf(each) === 'v1-freezer');
  if (line === undefined || line.path.split('/').includes('..')) return undefined;
  for (const mount of mounts) {
    const directory = locate(mount, 'v1-freezer', line.path);
    if (directory !== undefined) return { directory: resolve(directory), top: mount.mountPoint };
  }
  return undefined;
}

/** Every pid in a cgroup and those below it; undefined when that can't be told (gone, threaded, pids of another namespace). */
export function cgroupMembers(directory: string): number[] | undefined {
  try {
    const own = readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
    // 0 stands for a process that our pid namespace does not show.
    if (own.includes(0)) return undefined;
    const below = readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => cgroupMembers(join(directory, entry.name)));
    return below.some((pids) => pids === undefined)
      ? undefined
      : [...own, ...below.flatMap((pids) => pids ?? [])];
  } catch {
    return undefined;
  }
}

function versionOf(line: CgroupLine): ContainerCgroup['version'] | undefined {
  if (line.hierarchy === 0 && line.controllers.length === 0) return 'v2';
  return line.controllers.includes('freezer') ? 'v1-freezer' : undefined;
}

/** `/machine.slice/libpod-ID.scope` of `/machine.slice/libpod-ID.scope/container`. */
function ownLevel(path: string, containerId: string): string | undefined {
  const segments = path.split('/');
  // `/..` is a cgroup outside our cgroup namespace.
  if (segments.includes('..')) return undefined;
  const index = segments.findIndex((segment) => isNamedFor(segment, containerId));
  return index === -1 ? undefined : segments.slice(0, index + 1).join('/');
}

// `ID`, `libpod-ID`, `libpod-ID.scope`, `libpod-payload-ID`, `docker-ID.scope`, `slice:cri-containerd:ID`; but conmon's
// own `libpod-conmon-ID.scope`, a health check's `ID.service` and a mount's `ID.mount` are not the container.
function isNamedFor(segment: string, containerId: string): boolean {
  const name = segment.endsWith('.scope') ? segment.slice(0, -'.scope'.length) : segment;
  if (!name.endsWith(containerId)) return false;
  const prefix = name.slice(0, -containerId.length);
  return (prefix === '' || /[-:]$/.test(prefix)) && !prefix.includes('conmon');
}

function locate(mount: Mount, version: ContainerCgroup['version'], path: string): string | undefined {
  const fits =
    version === 'v2'
      ? mount.fsType === 'cgroup2'
      : mount.fsType === 'cgroup' && mount.superOptions.includes('freezer');
  if (!fits) return undefined;
  if (mount.root === '/') return join(mount.mountPoint, path);
  return path.startsWith(`${mount.root}/`)
    ? join(mount.mountPoint, path.slice(mount.root.length))
    : undefined;
}
