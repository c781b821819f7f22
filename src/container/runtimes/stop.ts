import { setTimeout as sleep } from 'node:timers/promises';
import { cgroupPath, readCgroup } from '../../procfs/cgroup.ts';
import { MalformedError, UnreadableError, type ProcFs } from '../../procfs/fs.ts';
import { readStat } from '../../procfs/stat.ts';
import { hasEnded } from '../ended.ts';
import { quietly } from '../quietly.ts';
import { runCommand, type CommandResult } from './command.ts';
import type { Engine } from './engines.ts';
import type { Host } from './host.ts';
import { inPodmansHand } from './in-hand.ts';
import { failureText, listEngine } from './listing.ts';
import type { ListedContainer } from './listed.ts';

export interface StopOptions {
  host: Host;
  proc: ProcFs;
  /** How long a list may take. */
  timeoutMs: number;
  /** How long an order to stop may take: each container has its own time between SIGTERM and SIGKILL. */
  stopMs: number;
  signal?: AbortSignal | undefined;
}

/** What became of one container. */
export interface Stopped {
  container: ListedContainer;
  outcome: 'stopped' | 'failed';
  /** Why, for `failed`. */
  detail: string | undefined;
}

const live = new Set<ListedContainer['state']>(['running', 'paused', 'stopping', 'restarting', undefined]);

// What does not stop is told to so many times.
const MAX_ROUNDS = 6;
// podman 4.3 stops a crash loop only when the order comes while an instance runs: it is given again for so long.
const RESTART_MS = 30_000;
const POLL_MS = 200;

/** Whether a container runs, as far as its engine knows. */
export function isLive({ state }: ListedContainer): boolean {
  return live.has(state);
}

/** Whether a container runs, or is between two restarts; `inHand`: of `inPodmansHand`. docker says itself that one restarts. */
export function needsStopping(
  container: ListedContainer,
  { proc, inHand }: { proc: ProcFs; inHand: ReadonlySet<string> },
): boolean {
  return runs(container, proc) || inHand.has(container.id);
}

/**
 * podman does not notice that a container has ended whose conmon was killed: it has where neither of the two is there.
 * Its process alone is no proof: hidepid (proc(5)) hides that of a user's own container, which has another uid.
 */
function runs(container: ListedContainer, proc: ProcFs): boolean {
  const { pid, conmonPid } = container;
  if (!isLive(container)) return false;
  if (pid === undefined || conmonPid === undefined) return true;
  return mayRun(pid, proc) || mayRun(conmonPid, proc);
}

function mayRun(pid: number, proc: ProcFs): boolean {
  try {
    const stat = readStat(proc, pid);
    return stat !== undefined && !hasEnded(stat);
  } catch (error) {
    if (error instanceof UnreadableError || error instanceof MalformedError) return true;
    throw error;
  }
}

/** Has an engine stop containers, those of systemd units through systemd, and makes sure that no restart policy brings them back. */
export async function stopContainers(
  engine: Engine,
  containers: readonly ListedContainer[],
  options: StopOptions,
): Promise<Stopped[]> {
  const deadline = performance.now() + RESTART_MS;
  const details = new Map<string, string>();
  let left = [...containers];
  for (let round = 1; left.length > 0; round++) {
    if (options.signal?.aborted === true) break;
    for (const [id, detail] of await order(engine, left, options)) details.set(id, detail);
    // Before the list: what podman let go of, and what does not run then, stays as it is.
    const inHand = inPodmansHand(options.proc);
    const now = await asListed(engine, containers, options.timeoutMs);
    left = now.filter((each) => needsStopping(each, { proc: options.proc, inHand }));
    const restarting = left.some(({ id }) => inHand.has(id));
    if (restarting ? performance.now() > deadline : round >= MAX_ROUNDS) break;
    if (restarting) await sleep(POLL_MS);
  }
  return containers.map((container) => {
    const now = left.find(({ id }) => id === container.id);
    if (now === undefined) return { container, outcome: 'stopped', detail: undefined };
    const state = runs(now, options.proc)
      ? 'it still runs'
      : `${engine.runtime} is not done with it and may start it again`;
    return { container, outcome: 'failed', detail: details.get(container.id) ?? state };
  });
}

/** One order to all; what was said against it, by container. */
async function order(
  engine: Engine,
  containers: readonly ListedContainer[],
  options: StopOptions,
): Promise<Map<string, string>> {
  const failures = new Map<string, string>();
  const note = (which: readonly ListedContainer[], result: CommandResult): void => {
    if (result.outcome === 'exit' && result.code === 0) return;
    for (const { id } of which) failures.set(id, failureText(result));
  };
  const byUnit = containers.filter((container) => unitOf(container, options.proc) !== undefined);
  const units = [...new Set(byUnit.flatMap((container) => unitOf(container, options.proc) ?? []))];
  if (units.length > 0) note(byUnit, await stopUnits(engine, units, options));

  const others = containers.filter((container) => !byUnit.includes(container));
  const paused = others.filter(({ state }) => state === 'paused').map(({ id }) => id);
  // podman: can only stop created or running containers.
  if (paused.length > 0) await engine.run(['unpause', ...paused], options.timeoutMs);
  const ids = others.map(({ id }) => id);
  if (ids.length > 0) note(others, await engine.run(['stop', ...ids], options.stopMs));
  return failures;
}

/** Containers as their engine lists them now. A list that fails says nothing of them: their states are unknown. */
async function asListed(
  engine: Engine,
  containers: readonly ListedContainer[],
  timeoutMs: number,
): Promise<ListedContainer[]> {
  const now = await listEngine(engine, timeoutMs);
  if (!('containers' in now)) return containers.map((each) => ({ ...each, state: undefined }));
  const ids = new Set(containers.map(({ id }) => id));
  return now.containers.filter(({ id }) => ids.has(id));
}

/**
 * The unit that keeps a container: stopped behind its back, systemd would start it again. A label alone is anybody's word;
 * a conmon in that unit's cgroup is what `podman generate systemd` and Quadlet make.
 */
function unitOf({ labels, conmonPid }: ListedContainer, proc: ProcFs): string | undefined {
  const unit = labels['PODMAN_SYSTEMD_UNIT'];
  if (unit?.endsWith('.service') !== true || conmonPid === undefined) return undefined;
  const cgroup = cgroupPath(quietly(() => readCgroup(proc, conmonPid)) ?? '');
  return cgroup.split('/').includes(unit) ? unit : undefined;
}

async function stopUnits(
  { user }: Engine,
  units: readonly string[],
  { host, stopMs }: StopOptions,
): Promise<CommandResult> {
  const program = host.program('systemctl');
  if (program === undefined) return { outcome: 'failed', reason: 'systemctl is not installed' };
  const manager = user.uid === 0 ? [] : ['--user'];
  return await runCommand(program, [...manager, 'stop', '--', ...units], user, stopMs);
}
