import type { ProcFs } from '../../procfs/fs.ts';
import { listPids } from '../../procfs/pids.ts';
import { readStat } from '../../procfs/stat.ts';
import { readStatus } from '../../procfs/status.ts';
import { quietly } from '../quietly.ts';
import { runCommand } from './command.ts';
import { defaultDockerPlaces } from './docker-record.ts';
import type { Engine, Unasked } from './engines.ts';
import { rootUser, type Host, type User } from './host.ts';

/**
 * The dockers that run. A socket alone is no sign of one: to ask at systemd's docker.socket starts a daemon that does not
 * run, which then starts every container with a restart policy.
 */
export function findDockers(
  host: Host,
  proc: ProcFs,
  env: NodeJS.ProcessEnv,
  users: { all: readonly User[]; me: User },
): { engines: Engine[]; unasked: Unasked[] } {
  const program = host.program('docker');
  if (program === undefined) return { engines: [], unasked: [] };
  const engine = (user: User, as: User, extra: Record<string, string>): Engine => ({
    runtime: 'docker',
    user,
    run: (args, timeoutMs) => runCommand(program, args, as, timeoutMs, extra),
  });
  const owners = daemonOwners(proc);
  const engines: Engine[] = [];
  const unasked: Unasked[] = [];
  const chosen = env['DOCKER_HOST'];
  // A user in the group docker gives orders to root's engine as what they are.
  if (chosen !== undefined) engines.push(engine(rootUser, users.me, { DOCKER_HOST: chosen }));
  else if (owners.has(0)) engines.push(engine(rootUser, users.me, {}));
  else if (hasContainers(host)) {
    unasked.push({ runtime: 'docker', user: rootUser, reason: 'its daemon does not run' });
  }
  const rootless = users.all.length > 0 ? users.all : [users.me];
  for (const user of rootless) {
    const socket = `/run/user/${user.uid}/docker.sock`;
    if (user.uid === 0 || !owners.has(user.uid) || !host.exists(socket)) continue;
    engines.push(engine(user, user, { DOCKER_HOST: `unix://${socket}` }));
  }
  return { engines, unasked };
}

function daemonOwners(proc: ProcFs): Set<number> {
  return new Set(
    listPids(proc).flatMap((pid) =>
      quietly(() => readStat(proc, pid))?.comm === 'dockerd'
        ? (quietly(() => readStatus(proc, pid)?.euid) ?? [])
        : [],
    ),
  );
}

function hasContainers(host: Host): boolean {
  return defaultDockerPlaces(host, []).some(({ root }) => {
    const names = host.list(`${root}/containers`);
    return Array.isArray(names) && names.length > 0;
  });
}
