import type { Report } from '../model.ts';
import { readMountinfo } from '../procfs/mountinfo.ts';
import { sleepUntil } from './clock.ts';
import { killContainerCgroup } from './cgroup-kill.ts';
import { containerCgroups } from './container-cgroup.ts';
import type { DeadTree } from './dead-tree.ts';
import { adoptForks } from './forks.ts';
import { wasKilled, type Member } from './member.ts';
import { Newcomers } from './newcomers.ts';
import { containerKey } from './plan.ts';
import type { Progress } from './progress.ts';
import { stopForking } from './stop-forking.ts';
import { thawKilled } from './thaw-killed.ts';

export interface TerminateOptions {
  look: () => Promise<Report>;
  /** Called with the forks that were found, before anything is done to any process; what it throws ends it there. */
  onReady: (forks: Member[]) => void;
  /** What comes before the first signal: a runtime may let go of its container itself. */
  release: () => Promise<void>;
  gracePeriodMs: number;
  /** Bounds of the SIGKILL loop. */
  killTimeoutMs: number;
  maxRounds: number;
  confirmAfterMs: number;
  /** Called with processes that turn up later, before they are signalled. */
  onAdopt: (members: Member[]) => void;
  onProgress: (progress: Progress) => void;
}

const FORK_WALK_MS = 200;
const ROUND_MS = 1000;
const SUPERVISOR_MS = 2000;
const EXIT_MS = 50;

/**
 * Ends a dead tree: superseded supervisors, SIGTERM, the grace period, then SIGKILL in rounds until nothing of it is left,
 * bounded in rounds and time. Answers with the look that followed the last signal; throws what that look threw.
 */
export async function terminate(tree: DeadTree, options: TerminateOptions): Promise<Report> {
  // While their parents live: afterwards nothing shows whose children they were.
  options.onReady(adoptForks(tree).adopted);
  await options.release();
  await endSupervisors(tree, options);
  await sigterm(tree, options);
  return killLoop(tree, options);
}

/** On SIGTERM an old conmon would run its exit command, which touches the new instance of its container. */
async function endSupervisors(tree: DeadTree, options: TerminateOptions): Promise<void> {
  const supervisors = tree.alive().filter((member) => member.origin === 'target' && member.target.supervisor);
  if (supervisors.length === 0) return;
  for (const member of supervisors) tree.send(member, 'SIGKILL');
  options.onProgress({ kind: 'signalled', signal: 'SIGKILL', pids: supervisors.map(({ pid }) => pid) });
  const due = tree.clock.monotonic() + SUPERVISOR_MS;
  while (supervisors.some((member) => !tree.hasExited(member)) && tree.clock.monotonic() < due) {
    if (supervisors.every((member) => member.refused !== undefined)) break;
    await tree.clock.sleep(2);
  }
  for (const supervisor of supervisors) {
    if (supervisor.refused === undefined) continue;
    const key = containerKey(supervisor.target.container);
    for (const member of tree.alive()) {
      const kin =
        member.foundUnder === supervisor.pid ||
        (key !== undefined && containerKey(member.target.container) === key);
      const detail = `its supervisor ${supervisor.pid} could not be ended first: ${supervisor.refused.detail}`;
      if (kin) member.refused = { why: 'supervisor', detail };
    }
  }
}

async function sigterm(tree: DeadTree, options: TerminateOptions): Promise<void> {
  const { clock } = tree;
  const members = tree.alive();
  for (const member of members) tree.send(member, 'SIGTERM');
  const pids = members.filter(({ refused }) => refused === undefined).map(({ pid }) => pid);
  if (pids.length === 0) return;
  options.onProgress({ kind: 'signalled', signal: 'SIGTERM', pids });
  options.onProgress({ kind: 'grace-wait', pids, ms: options.gracePeriodMs });
  const due = clock.monotonic() + options.gracePeriodMs;
  for (let left = options.gracePeriodMs; left > 0; left = due - clock.monotonic()) {
    if (await tree.settled(Math.min(left, FORK_WALK_MS))) return;
    // What it starts to tidy up is held, and has the rest of the grace period.
    const { adopted } = adoptForks(tree);
    if (adopted.length > 0) options.onAdopt(adopted);
  }
}

async function killLoop(tree: DeadTree, options: TerminateOptions): Promise<Report> {
  const { clock } = tree;
  const due = clock.monotonic() + options.killTimeoutMs;
  const newcomers = new Newcomers(tree, options.confirmAfterMs);
  const closed = new Set<string>();
  try {
    for (let round = 0; ; round += 1) {
      const looked = await tryLook(options.look);
      if (!(looked instanceof Error)) {
        tree.judge(looked);
        take(newcomers.judge(looked), options);
      }
      const alive = tree.alive();
      const next = newcomers.dueAt();
      const over = round >= options.maxRounds || clock.monotonic() >= due;
      if ((alive.length === 0 && next === undefined) || over) {
        if (looked instanceof Error) throw looked;
        return looked;
      }
      if (alive.length > 0) await killRound(tree, newcomers, closed, options);
      else await sleepUntil(clock, Math.min(next ?? due, due));
    }
  } finally {
    newcomers.close();
  }
}

async function killRound(
  tree: DeadTree,
  newcomers: Newcomers,
  closed: Set<string>,
  options: TerminateOptions,
): Promise<void> {
  const due = tree.alive().filter((member) => !wasKilled(member));
  await killCgroups(tree, newcomers, closed, options);
  await stopForking(tree, options.onAdopt);
  const left = tree.alive().filter((member) => !wasKilled(member));
  for (const member of left) tree.send(member, 'SIGKILL');
  thawKilled(tree);
  const pids = [...new Set([...due, ...left])].filter(wasKilled).map(({ pid }) => pid);
  if (pids.length > 0) options.onProgress({ kind: 'killed', pids });
  await tree.settled(ROUND_MS);
}

/** Every cgroup that is a dead container's own, each tried until it was refused once. */
async function killCgroups(
  tree: DeadTree,
  newcomers: Newcomers,
  closed: Set<string>,
  options: TerminateOptions,
): Promise<void> {
  for (const cgroup of goneCgroups(tree)) {
    if (closed.has(cgroup.directory)) continue;
    const sent = await killContainerCgroup(tree, cgroup, async (strangers) => {
      for (const pid of strangers) newcomers.hold(pid);
      const looked = await tryLook(options.look);
      if (looked instanceof Error) return;
      tree.judge(looked);
      take(newcomers.judge(looked), options);
    });
    if (!sent) closed.add(cgroup.directory);
    // What is on its way out must not be frozen in the container's next cgroup.
    else await tree.settled(EXIT_MS);
  }
}

function goneCgroups(tree: DeadTree) {
  const mounts = readMountinfo(tree.proc, process.pid) ?? [];
  const alive = tree.alive();
  // A second life of the same container would be in the same cgroup: only where no runtime knows it any more, by what
  // was confirmed and by the last look.
  const known = new Set(
    [...tree.targets(), ...tree.report.processes]
      .filter(({ reason }) => reason !== 'container-gone')
      .map(({ container }) => containerKey(container)),
  );
  const found = alive.flatMap(({ target, cgroup }) => {
    const id = target.container?.id;
    if (typeof id !== 'string' || cgroup === undefined) return [];
    return known.has(containerKey(target.container)) ? [] : containerCgroups(cgroup, id, mounts);
  });
  return [...new Map(found.map((cgroup) => [cgroup.directory, cgroup])).values()];
}

function take(adopted: Member[], options: TerminateOptions): void {
  if (adopted.length > 0) options.onAdopt(adopted);
}

async function tryLook(look: TerminateOptions['look']): Promise<Report | Error> {
  try {
    return await look();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
