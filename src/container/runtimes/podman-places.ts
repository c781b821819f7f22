import type { ContainerStore } from '../../model.ts';
import { rootUser, type Host, type User } from './host.ts';

/** A podman store: where it lists its containers, and where it keeps what it knows of their instances. */
export interface PodmanPlace {
  user: User;
  /** Graph root. */
  root: string;
  /** Of the storage drivers, only this one; undefined: all that are there. */
  driver: string | undefined;
  /** Empty: not known, so that nothing can be said of a container's instance. */
  runRoots: string[];
  /** Where conmon leaves an exit code. */
  exitDirectories: string[];
  /** Present while podman has not to take its next call for the first since boot; undefined for a store of somebody's own. */
  aliveFiles: string[] | undefined;
}

/** The stores that podman uses for a user unless it is told others on its command line (containers-storage.conf(5)). */
export function defaultPlaces(host: Host, user: User): PodmanPlace[] {
  const configured = storageConf(host, user);
  const usual =
    user.uid === 0 ? '/var/lib/containers/storage' : `${user.home}/.local/share/containers/storage`;
  const usualRuns =
    user.uid === 0
      ? ['/run/containers/storage']
      : [
          `/run/user/${user.uid}/containers`,
          `/tmp/podman-run-${user.uid}/containers`,
          `/tmp/storage-run-${user.uid}/containers`,
        ];
  const temporary =
    user.uid === 0
      ? ['/run/libpod']
      : [
          `/run/user/${user.uid}/libpod/tmp`,
          `/tmp/podman-run-${user.uid}/libpod/tmp`,
          `/tmp/storage-run-${user.uid}/libpod/tmp`,
        ];
  const roots = [...new Set([...configured.roots, usual])];
  return roots.map((root) => ({
    user,
    root,
    driver: undefined,
    runRoots: [...new Set([...configured.runRoots, ...usualRuns])],
    exitDirectories: temporary.map((directory) => `${directory}/exits`),
    aliveFiles: temporary.map((directory) => `${directory}/alive`),
  }));
}

/** The store that a process's root mount names, with its owner; undefined where this host has no such directory. */
export function namedPlace(host: Host, store: ContainerStore): PodmanPlace | undefined {
  const owner = host.ownerOf(store.root);
  if (owner === undefined) return undefined;
  const user =
    (typeof owner === 'number' ? host.userByUid(owner) : host.userByHome(store.root)) ??
    (typeof owner === 'number' ? { name: String(owner), uid: owner, gid: owner, home: '/' } : rootUser);
  const usual = defaultPlaces(host, user).find(({ root }) => root === store.root);
  return {
    user,
    root: store.root,
    driver: store.driver,
    runRoots: store.runRoot === undefined ? (usual?.runRoots ?? []) : [store.runRoot],
    exitDirectories: usual?.exitDirectories ?? [],
    aliveFiles: usual?.aliveFiles,
  };
}

// Enough of TOML for three keys whose values are plain strings.
const setting = /^\s*(graphroot|runroot|rootless_storage_path)\s*=\s*(?:"([^"\n]*)"|'([^'\n]*)')/gm;

function storageConf(host: Host, user: User): { roots: string[]; runRoots: string[] } {
  const system = ['/etc/containers/storage.conf', '/usr/share/containers/storage.conf'];
  const own = `${user.home}/.config/containers/storage.conf`;
  const wanted = user.uid === 0 ? system : [...system, own];
  const roots: string[] = [];
  const runRoots: string[] = [];
  for (const path of wanted) {
    const file = host.read(path);
    if (file.state !== 'read') continue;
    for (const [, key, double, single] of file.text.matchAll(setting)) {
      const value = expand(double ?? single ?? '', user);
      // The system's graphroot and runroot are root's; a user's own file sets theirs.
      const applies = key === 'rootless_storage_path' ? user.uid !== 0 : user.uid === 0 || path === own;
      if (value !== '' && applies) (key === 'runroot' ? runRoots : roots).push(value);
    }
  }
  return { roots, runRoots };
}

function expand(path: string, user: User): string {
  return path
    .replaceAll('$HOME', user.home)
    .replaceAll('$USER', user.name)
    .replaceAll('$UID', String(user.uid))
    .replace(/\/+$/, '');
}
