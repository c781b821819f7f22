import type { Config } from '../../config/config.ts';
import { quietly } from '../../container/quietly.ts';
import { rootUser, type Host, type User } from '../../container/runtimes/host.ts';
import { listContainers } from '../../container/runtimes/listing.ts';
import { defaultPlaces } from '../../container/runtimes/podman-places.ts';
import { PodmanRecords } from '../../container/runtimes/podman-record.ts';
import type { ProcFs } from '../../procfs/fs.ts';
import { listPids } from '../../procfs/pids.ts';
import { readStat } from '../../procfs/stat.ts';
import { readStatus } from '../../procfs/status.ts';
import type { DoctorFacts } from './facts.ts';
import { agingRule, parseTmpfiles, type TmpfilesRule } from './tmpfiles.ts';

type PodmanFacts = Pick<DoctorFacts, 'engines' | 'forgotten' | 'aging' | 'rootless'>;

/** What is to be known of the engines and of who uses podman. */
export async function readPodman(config: Config, proc: ProcFs, host: Host): Promise<PodmanFacts> {
  const { listed, silent } = await listContainers({
    proc,
    timeoutMs: config.runtimeTimeoutMs,
    hostRoot: host.root,
  });
  const users = usersOf(host, proc);
  const asleep = users.filter(({ awake }) => !awake).map(({ user }) => user.name);
  const rules = tmpfilesRules(host);
  return {
    engines: [
      ...listed.map(({ engine }) => ({ ...nameOf(engine), answered: true, reason: '' })),
      // A podman that nobody called since the boot is well; one that lost its file is a finding of its own.
      ...silent
        .filter(({ runtime, user }) => runtime !== 'podman' || !asleep.includes(user.name))
        .map((each) => ({ ...nameOf(each), answered: false, reason: each.reason })),
    ],
    forgotten: users
      .filter(({ awake, conmons }) => !awake && conmons > 0)
      .map(({ user, conmons }) => ({ user: user.name, conmons })),
    aging: users.flatMap(({ aliveFiles }) =>
      aliveFiles.flatMap((file) => {
        const rule = agingRule(file, rules);
        return rule === undefined ? [] : [{ file, rule: rule.source }];
      }),
    ),
    rootless: users
      .filter(({ user }) => user.uid !== 0 && host.exists('/run/systemd/system'))
      .map(({ user, containers }) => ({
        user: user.name,
        containers,
        linger: host.exists(`/var/lib/systemd/linger/${user.name}`),
      })),
  };
}

function nameOf({ runtime, user }: { runtime: string; user: User }): { runtime: string; user: string } {
  return { runtime, user: user.name };
}

interface PodmanUser {
  user: User;
  containers: number;
  awake: boolean;
  /** Those that are there. */
  aliveFiles: string[];
  conmons: number;
}

/** Everybody who has a container on record. */
function usersOf(host: Host, proc: ProcFs): PodmanUser[] {
  const records = new PodmanRecords(host, proc);
  const conmons = conmonOwners(proc);
  const users = [rootUser, ...host.users().filter(({ uid }) => uid !== 0)];
  return users.flatMap((user) => {
    const places = defaultPlaces(host, user);
    const containers = places
      .map((place) => records.list(place))
      .reduce((sum, listing) => sum + (listing.state === 'read' ? listing.entries.length : 0), 0);
    if (containers === 0) return [];
    const aliveFiles = [...new Set(places.flatMap((place) => place.aliveFiles ?? []))].filter((file) =>
      host.exists(file),
    );
    const own = conmons.filter((uid) => uid === user.uid).length;
    return [{ user, containers, awake: aliveFiles.length > 0, aliveFiles, conmons: own }];
  });
}

function conmonOwners(proc: ProcFs): number[] {
  return listPids(proc).flatMap((pid) => {
    if (quietly(() => readStat(proc, pid))?.comm !== 'conmon') return [];
    return quietly(() => readStatus(proc, pid))?.euid ?? [];
  });
}

/** Later directories give way to earlier ones, file by file (tmpfiles.d(5)). */
function tmpfilesRules(host: Host): TmpfilesRule[] {
  const files = new Map<string, string>();
  for (const directory of [
    '/etc/tmpfiles.d',
    '/run/tmpfiles.d',
    '/usr/local/lib/tmpfiles.d',
    '/usr/lib/tmpfiles.d',
  ]) {
    const names = host.list(directory);
    for (const name of Array.isArray(names) ? names : []) {
      if (name.endsWith('.conf') && !files.has(name)) files.set(name, `${directory}/${name}`);
    }
  }
  return [...files.values()].flatMap((path) => {
    const file = host.read(path);
    return file.state === 'read' ? parseTmpfiles(file.text, path) : [];
  });
}
