import { setTimeout as sleep } from 'node:timers/promises';
import { cgroupPath, readCgroup } from '../../procfs/cgroup.ts';
import type { ProcFs } from '../../procfs/fs.ts';
import { quietly } from '../quietly.ts';
import { runCommand, type CommandResult } from './command.ts';
import type { Engine } from './engines.ts';
import type { Host } from './host.ts';
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

// podman 4.3 stops a crash loop only when the order comes while an instance runs: seen to need two.
const MAX_ROUNDS = 6;
// Longer than podman takes from an exit to the next restart.
const RESTART_MS = 1_000;
// docker waits up to a minute before it restarts a container again.
const RECENT_MS = 60_000;

/** Whether a container runs, as far as its engine knows. */
export function isLive({ state }: ListedContainer): boolean {
  return live.has(state);
}

/** Whether a container runs, or is between two restarts. */
export function needsStopping(container: ListedContainer, now: number): boolean {
  return isLive(container) || restarts(container, now);
}

/** Has an engine stop containers, those of systemd units through systemd, and makes sure that no restart policy brings them back. */
export async function stopContainers(
  engine: Engine,
  containers: readonly ListedContainer[],
  options: StopOptions,
): Promise<Stopped[]> {
  const details = new Map<string, string>();
  let left = [...containers];
  for (let round = 1; left.length > 0 && round <= MAX_ROUNDS; round++) {
    if (options.signal?.aborted === true) break;
    for (const [id, detail] of await order(engine, left, options)) details.set(id, detail);
    const mayReturn = left.some((container) => restarts(container, Date.now()));
    left = await stillLive(engine, left, options.timeoutMs);
    if (left.length > 0 || !mayReturn) continue;
    await sleep(RESTART_MS);
    left = await stillLive(engine, containers, options.timeoutMs);
  }
  const ids = new Set(left.map(({ id }) => id));
  return containers.map((container) => ({
    container,
    outcome: ids.has(container.id) ? 'failed' : 'stopped',
    detail: ids.has(container.id) ? (details.get(container.id) ?? 'it still runs') : undefined,
  }));
}

function restarts({ restartPolicy, restartCount = 0, startedAt }: ListedContainer, now: number): boolean {
  if (restartPolicy === undefined || restartCount === 0) return false;
  return startedAt !== undefined && now - Date.parse(startedAt) < RECENT_MS;
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

/** A list that fails says nothing of what runs: all count as live. */
async function stillLive(
  engine: Engine,
  containers: readonly ListedContainer[],
  timeoutMs: number,
): Promise<ListedContainer[]> {
  const now = await listEngine(engine, timeoutMs);
  if (!('containers' in now)) return [...containers];
  const ids = new Set(containers.map(({ id }) => id));
  return now.containers.filter((each) => ids.has(each.id) && isLive(each));
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
