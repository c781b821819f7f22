import type { Config } from '../config/config.ts';
import { containerFromMounts } from '../container/rootfs.ts';
import { Runtimes } from '../container/runtimes/runtimes.ts';
import type { ActionStep, ContainerStore, Target } from '../model.ts';
import { UnreadableError } from '../procfs/fs.ts';
import { readMountinfo } from '../procfs/mountinfo.ts';
import type { CleanupDeps } from '../reap/deps.ts';
import { createLooker } from '../report/look.ts';

const proc = { root: '/proc' };

/** What a clean-up from the command line works with: the host's own /proc, and the runtimes' command lines. */
export function cleanupDeps(config: Config, onProgress: (progress: Progress) => void): CleanupDeps {
  return {
    look: createLooker({ config, cli: true }),
    proc,
    gracePeriodMs: config.gracePeriodMs,
    maxTargets: config.maxTargets,
    stateDirectory: config.stateDirectory,
    onProgress,
    release: (target) => release(target, config, onProgress),
  };
}

type Progress = Parameters<NonNullable<CleanupDeps['onProgress']>>[0];

/** Has the runtime let go of a suspect's container. Throws where the runtime was not even asked. */
async function release(
  target: Target,
  { runtimeTimeoutMs, gracePeriodMs }: Config,
  onProgress: (progress: Progress) => void,
): Promise<ActionStep[]> {
  const { container, uid, identity } = target;
  if (container === null || container.id === null) throw new Error('its container is not known by an id');
  const { steps, released, detail } = await new Runtimes({
    proc,
    timeoutMs: runtimeTimeoutMs,
    cli: true,
  }).release({
    container: { ...container, id: container.id },
    uid,
    store: storeOf(identity.pid),
    stopSeconds: Math.ceil(gracePeriodMs / 1000),
  });
  if (released) return steps;
  const error = detail ?? 'the runtime still lists it';
  if (steps.length === 0) throw new Error(error);
  // It was asked, so the steps count; that it failed must not get lost.
  onProgress({ kind: 'released', target, steps: steps.map(({ signal }) => signal), error });
  return steps;
}

/** The store that a process's root file system is mounted from; undefined where it can't be told. */
function storeOf(pid: number): ContainerStore | undefined {
  try {
    return containerFromMounts(readMountinfo(proc, pid) ?? [], readMountinfo(proc, 1) ?? [])?.store;
  } catch (error) {
    if (error instanceof UnreadableError) return undefined;
    throw error;
  }
}
