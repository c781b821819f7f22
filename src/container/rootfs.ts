import type { ContainerStore, Evidence, Provenance, RuntimeName } from '../model.ts';
import type { Mount } from '../procfs/mountinfo.ts';

/** What one mount says of the container that it belongs to. */
interface Clue {
  runtime: RuntimeName;
  id: string | undefined;
  store: ContainerStore;
  evidence: Evidence;
}

const HEX = '[0-9a-f]{64}';

/**
 * Which container a process's mounts name, whatever its cgroup says (mountinfo(5)): by the root mount that lies in a
 * container store, and by the files that podman and docker bind over /run/.containerenv and /etc.
 *
 * What this must not take for a container, and how that is closed:
 * - the host itself, even with an overlay as its own / (live systems, a toolbox): the root mount is the host's root mount;
 * - a person's chroot into `podman mount`: such a process has the host's mounts, so that its root mount's id is one of the
 *   host's (an id is unique among all mounts of the moment);
 * - a systemd service with RootDirectory= or RootImage=: no store's shape;
 * - somebody's bind mount of another container's /etc/hosts: counts only at its own proper mount point, and only where the
 *   root mount is not the host's; where both speak and disagree, the root mount wins.
 */
export function containerFromMounts(mounts: Mount[], hostMounts: Mount[]): Provenance | undefined {
  const root = mountAt(mounts, '/');
  if (root === undefined || isOnHost(mounts, hostMounts)) return undefined;

  const own = fromRootMount(root, hostMounts);
  const bound = fromBindMounts(mounts, hostMounts).filter((clue) => agrees(clue, own));
  const clues = own === undefined ? bound : [own, ...bound];
  if (clues.length === 0) return undefined;

  const runtime = bound[0]?.runtime ?? own?.runtime ?? 'unknown';
  // docker's containerd image store: its own record is in docker's data root, which only the bound files name.
  const roots = runtime === own?.runtime || bound.length === 0 ? clues : bound;
  return {
    // docker and podman have stores of one shape (vfs, btrfs); the file that they bind says whose it is.
    runtime,
    id: idOf(runtime, own, bound),
    via: 'rootfs',
    store: {
      root: roots.map((clue) => clue.store.root).find((path) => path !== '') ?? own?.store.root ?? '',
      driver: clues.map((clue) => clue.store.driver).find((driver) => driver !== undefined),
      runRoot: clues.map((clue) => clue.store.runRoot).find((path) => path !== undefined),
      layer: own?.store.layer,
    },
    evidence: clues.map(({ evidence }) => evidence),
  };
}

/** Whether a process sees the host's file system: its root mount is the host's, or one of the mounts that the host has. */
export function isOnHost(mounts: Mount[], hostMounts: Mount[]): boolean {
  const root = mountAt(mounts, '/');
  const hostRoot = mountAt(hostMounts, '/');
  // Without the host's own mounts nothing can be told apart from it.
  if (root === undefined || hostRoot === undefined) return true;
  if (root.device === hostRoot.device && root.root === hostRoot.root) return true;
  return hostMounts.some(({ id }) => id === root.id);
}

function idOf(runtime: RuntimeName, own: Clue | undefined, bound: Clue[]): string | undefined {
  // With docker's `--network container:ID` these files are another container's. The layer, in docker's own record, is not.
  if (runtime === 'docker' && own?.runtime !== 'containerd' && own?.store.layer !== undefined)
    return undefined;
  return own?.id ?? bound.find(({ id }) => id !== undefined)?.id;
}

/** A store that both podman and docker could have laid out is either's. */
const ambiguous = new Set(['vfs', 'btrfs']);

function agrees(clue: Clue, own: Clue | undefined): boolean {
  if (own === undefined || own.runtime === clue.runtime) return true;
  // docker's containerd image store: the snapshots are containerd's, the container is docker's.
  if (own.runtime === 'containerd') return clue.runtime === 'docker';
  return ambiguous.has(own.store.driver ?? '');
}

function fromRootMount(root: Mount, hostMounts: Mount[]): Clue | undefined {
  const upper = root.superOptions.find((option) => option.startsWith('upperdir='))?.slice('upperdir='.length);
  if (root.fsType === 'overlay') return upper === undefined ? undefined : fromUpperDir(upper);
  for (const path of hostPaths(root, hostMounts)) {
    const match = new RegExp(`^(/.*)/(?:(vfs)/dir|(btrfs)/subvolumes)/(${HEX})$`).exec(path);
    if (match === null) continue;
    const [, base = '', vfs, btrfs, layer] = match;
    const runtime = /\/docker(?:\/\d+\.\d+)?$/.test(base) ? 'docker' : 'podman';
    return clue(runtime, { root: base, driver: vfs ?? btrfs, layer }, ['root mount', path]);
  }
  return undefined;
}

function fromUpperDir(upper: string): Clue | undefined {
  const podman = new RegExp(`^(/.*)/overlay/(${HEX})/diff$`).exec(upper);
  if (podman !== null) {
    return clue('podman', { root: podman[1], driver: 'overlay', layer: podman[2] }, ['upperdir', upper]);
  }
  // `podman run --rootfs PATH:O`: the writable layer is in the container's own directory.
  const volatile = new RegExp(`^(/.*)/([a-z]+)-containers/(${HEX})/`).exec(upper);
  if (volatile !== null) {
    return clue('podman', { root: volatile[1], driver: volatile[2] }, ['upperdir', upper], volatile[3]);
  }
  const docker = /^(\/.*)\/overlay2\/([0-9a-z]+)\/diff$/.exec(upper);
  if (docker !== null) {
    return clue('docker', { root: docker[1], driver: 'overlay2', layer: docker[2] }, ['upperdir', upper]);
  }
  const snapshot = /^(\/.*)\/io\.containerd\.snapshotter\.v1\.([a-z]+)\/snapshots\/(\d+)\/fs$/.exec(upper);
  if (snapshot !== null) {
    return clue('containerd', { root: snapshot[1], driver: snapshot[2], layer: snapshot[3] }, [
      'upperdir',
      upper,
    ]);
  }
  return undefined;
}

function fromBindMounts(mounts: Mount[], hostMounts: Mount[]): Clue[] {
  return ['/run/.containerenv', '/etc/hostname', '/etc/hosts', '/etc/resolv.conf'].flatMap((point) => {
    const mount = mountAt(mounts, point);
    return mount === undefined ? [] : (fromBindMount(point, mount, hostMounts) ?? []);
  });
}

function fromBindMount(point: string, mount: Mount, hostMounts: Mount[]): Clue | undefined {
  const file = point.slice(point.lastIndexOf('/') + 1).replaceAll('.', '\\.');
  const podman = new RegExp(`^(/.*)?/([a-z]+)-containers/(${HEX})/userdata/${file}$`);
  const docker = new RegExp(`^(/.*)?/containers/(${HEX})/${file}$`);
  // After a logout the file system of /run/user/UID is on no mount of the host any more; its own path still has the id.
  const paths = hostPaths(mount, hostMounts);
  for (const path of [...paths, mount.root]) {
    const found: [string, string] = [`mount on ${point}`, path];
    const mapped = paths.includes(path);
    const [isPodman, runRoot, driver, id] = podman.exec(path) ?? [];
    if (isPodman !== undefined) {
      // Containers of one pod, or with `--network container:ID`, have /etc/hosts and /etc/resolv.conf of another: no id from these.
      return clue(
        'podman',
        { driver, runRoot: mapped ? runRoot : undefined },
        found,
        point === '/run/.containerenv' ? id : undefined,
      );
    }
    const [isDocker, root, dockerId] = docker.exec(path) ?? [];
    if (isDocker !== undefined && mapped) return clue('docker', { root }, found, dockerId);
  }
  return undefined;
}

function clue(
  runtime: RuntimeName,
  store: {
    root?: string | undefined;
    driver?: string | undefined;
    runRoot?: string | undefined;
    layer?: string | undefined;
  },
  [fact, value]: [string, string],
  id?: string,
): Clue {
  const { root = '', driver, runRoot, layer } = store;
  return {
    runtime,
    id,
    store: { root, driver, runRoot, layer },
    evidence: { fact, value, source: '/proc/PID/mountinfo' },
  };
}

/** The mount that is seen at a path: the last one there hides the others. */
function mountAt(mounts: Mount[], mountPoint: string): Mount | undefined {
  return mounts.findLast((mount) => mount.mountPoint === mountPoint);
}

/** Where the host has what is mounted, nearest mount first: a mount's root field is relative to its device. */
function hostPaths(mount: Mount, hostMounts: Mount[]): string[] {
  const path = mount.root;
  return hostMounts
    .filter(
      ({ device, root }) =>
        device === mount.device && (root === '/' || path === root || path.startsWith(`${root}/`)),
    )
    .sort((a, b) => b.root.length - a.root.length)
    .map(({ root, mountPoint }) => join(mountPoint, root === '/' ? path : path.slice(root.length)));
}

function join(mountPoint: string, rest: string): string {
  return mountPoint === '/' ? rest : `${mountPoint}${rest === '/' ? '' : rest}`;
}
