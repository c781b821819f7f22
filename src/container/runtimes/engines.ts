import type { ProcFs } from '../../procfs/fs.ts';
import { runCommand, type CommandResult } from './command.ts';
import { findDockers } from './docker-engines.ts';
import { rootUser, type Host, type User } from './host.ts';
import { defaultPlaces } from './podman-places.ts';
import { PodmanRecords } from './podman-record.ts';

/** A container engine of one user that this process may give orders to. */
export interface Engine {
  runtime: 'podman' | 'docker';
  user: User;
  /** Runs its command line; never rejects. */
  run(args: string[], timeoutMs: number): Promise<CommandResult>;
}

/** An engine that has containers, or may have some, and must not or can't be asked. */
export interface Unasked {
  runtime: 'podman' | 'docker';
  user: User;
  reason: string;
}

/** Finds the engines that are in use: root's podman, that of each user who has containers, docker where its daemon runs. */
export function findEngines(
  host: Host,
  proc: ProcFs,
  env: NodeJS.ProcessEnv,
): { engines: Engine[]; unasked: Unasked[] } {
  const own = process.getuid?.() ?? 0;
  // As nobody else but root may one act for others.
  const users = own === 0 ? [rootUser, ...host.users().filter(({ uid }) => uid !== 0)] : [];
  const me = host.userByUid(own);
  const engines: Engine[] = [];
  const unasked: Unasked[] = [];
  const podman = host.program('podman');
  const records = new PodmanRecords(host, proc);
  for (const user of users.length > 0 ? users : me === undefined ? [] : [me]) {
    const reason = podman === undefined ? 'no container' : whyNotPodman(host, records, user);
    if (podman !== undefined && reason === undefined) {
      const run: Engine['run'] = (args, timeoutMs) => runCommand(podman, args, user, timeoutMs);
      engines.push({ runtime: 'podman', user, run });
    } else if (reason === 'asleep') unasked.push({ runtime: 'podman', user, reason: asleep });
  }
  const docker = findDockers(host, proc, env, { all: users, me: me ?? rootUser });
  return { engines: [...engines, ...docker.engines], unasked: [...unasked, ...docker.unasked] };
}

const asleep =
  'it has not been called since the boot, or lost its alive file: its next call makes it forget what runs';

/** undefined: it may be asked. The accounts of a host are many, and most never ran a container. */
function whyNotPodman(host: Host, records: PodmanRecords, user: User): 'no container' | 'asleep' | undefined {
  const places = defaultPlaces(host, user);
  const used = places.some((place) => {
    const listing = records.list(place);
    return listing.state === 'unreadable' || (listing.state === 'read' && listing.entries.length > 0);
  });
  if (!used) return 'no container';
  const awake = places.some(({ aliveFiles }) => aliveFiles?.some((file) => host.exists(file)) === true);
  return awake ? undefined : 'asleep';
}
