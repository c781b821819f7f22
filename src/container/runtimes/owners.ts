import { readCgroup } from '../../procfs/cgroup.ts';
import { readText, type ProcFs } from '../../procfs/fs.ts';
import { readNamespace } from '../../procfs/links.ts';
import { readStatus } from '../../procfs/status.ts';
import { hostNamespaces } from '../host-namespaces.ts';
import { quietly } from '../quietly.ts';
import type { ContainerQuery } from './answer.ts';
import type { Host, User } from './host.ts';

/** Whose rootless engines could own a container, besides root's. */
export interface Owners {
  users: User[];
  /** Uids that point to an owner who is not in /etc/passwd: their store can't be found, so that it can't be asked. */
  unknown: number[];
}

/** Finds the users whose rootless engine may have started a process: store path, cgroup, supervisor, user namespace, uid. */
export function ownersOf(
  host: Host,
  proc: ProcFs,
  { provenance, uid, pids, supervisor }: ContainerQuery,
): Owners {
  const [pid = 0] = pids;
  const store = provenance.store;
  const users = new Map<number, User>();
  const unknown = new Set<number>();
  const add = (each: number, sure: boolean): void => {
    if (each === 0) return;
    const user = host.userByUid(each) ?? host.userBySubUid(each);
    // A range of an account that does not exist (`containers`, for rootful --userns=auto) is root's to use.
    if (user === 'nobody') return;
    if (user === undefined && sure) unknown.add(each);
    if (user !== undefined) users.set(user.uid, user);
  };
  const home = host.userByHome(store?.root ?? '');
  if (home !== undefined) users.set(home.uid, home);
  for (const text of [
    store?.runRoot ?? '',
    quietly(() => readCgroup(proc, pid)) ?? '',
    ...provenance.evidence.map(({ value }) => value),
  ]) {
    for (const match of text.matchAll(/\/user[-@](\d+)\.(?:slice|service)|\/run\/user\/(\d+)\//g))
      add(Number(match[1] ?? match[2]), true);
  }
  if (supervisor !== undefined) add(quietly(() => readStatus(proc, supervisor.pid)?.euid) ?? 0, true);
  for (const each of namespaceOwners(proc, pid)) add(each, true);
  // A user's rootless container is always in a user namespace; without one a uid says nothing, and an unknown one is an image's.
  if (!inHostUserNamespace(proc, pid)) add(uid, false);
  return { users: [...users.values()], unknown: [...unknown] };
}

/** The host's uids that a user namespace is made of: the owner's own, and those of a subordinate range. */
function namespaceOwners(proc: ProcFs, pid: number): number[] {
  if (inHostUserNamespace(proc, pid)) return [];
  const map = quietly(() => readText(proc, `${pid}/uid_map`)) ?? '';
  return map
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([, outer]) => (outer === undefined || Number.isNaN(outer) ? [] : [outer]));
}

function inHostUserNamespace(proc: ProcFs, pid: number): boolean {
  const own = quietly(() => readNamespace(proc, pid, 'user'));
  const host = hostNamespaces(proc, 'user');
  if (own !== undefined && host.size > 0) return host.has(own);
  const map = quietly(() => readText(proc, `${pid}/uid_map`))?.trim() ?? '';
  return map !== '' && map === quietly(() => readText(proc, '1/uid_map'))?.trim();
}
