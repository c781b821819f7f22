import { setTimeout as sleep } from 'node:timers/promises';
import type { ActionStep, ContainerStore } from '../../model.ts';
import { runCommand, type CommandResult } from './command.ts';
import { rootUser, type Host, type User } from './host.ts';
import { namedPlace } from './podman-places.ts';

export interface ReleaseRequest {
  container: { runtime: string; id: string; name: string | null };
  /** Uid of the container's process: its owner, where the store does not say. */
  uid: number;
  /** The store that the process's root mount names: podman needs telling where it is not the default. */
  store?: ContainerStore | undefined;
  /** How long `stop` waits before it kills. */
  stopSeconds: number;
}

export interface Release {
  steps: ActionStep[];
  /** Whether the runtime does not list the container any more. */
  released: boolean;
  /** Why not. */
  detail: string | undefined;
}

// Removing a container's layers may take longer than asking for it.
const REMOVE_MS = 20_000;

/** Has podman or docker stop and remove a container, as its owner; each command is bounded in time. */
export async function releaseContainer(
  host: Host,
  { timeoutMs, env }: { timeoutMs: number; env: NodeJS.ProcessEnv },
  request: ReleaseRequest,
): Promise<Release> {
  const { runtime, id } = request.container;
  if (runtime !== 'podman' && runtime !== 'docker') return refusal(`${runtime} can't be told to`);
  const program = host.program(runtime);
  if (program === undefined) return refusal(`${runtime} is not installed`);
  const user = ownerOf(host, request);
  const own = process.geteuid?.();
  if (own !== 0 && own !== user.uid) return refusal(`only root or ${user.name} can do that`);

  const dockerHost = env['DOCKER_HOST'];
  const extra: Record<string, string> =
    runtime === 'docker' && dockerHost !== undefined ? { DOCKER_HOST: dockerHost } : {};
  const options = runtime === 'podman' ? storeOptions(host, request.store) : [];
  const run = (args: string[], ms: number): Promise<CommandResult> =>
    runCommand(program, [...options, ...args], user, ms, extra);
  const steps: ActionStep[] = [];
  const step = async (signal: string, args: string[], ms: number): Promise<CommandResult> => {
    steps.push({ at: new Date().toISOString(), signal });
    return run(args, ms);
  };

  await step(
    `${runtime} stop`,
    ['stop', '-t', String(request.stopSeconds), id],
    request.stopSeconds * 1000 + timeoutMs,
  );
  // podman 4.3 answers the first rm of a container whose conmon is dead with an error and has it removed by the second.
  let last: CommandResult | undefined;
  for (const pause of [0, 500]) {
    await sleep(pause);
    last = await step(`${runtime} rm`, ['rm', '-f', id], REMOVE_MS);
    if ((await isGone(runtime, id, run, timeoutMs)) === true)
      return { steps, released: true, detail: undefined };
  }
  return { steps, released: false, detail: last === undefined ? undefined : describe(last) };
}

async function isGone(
  runtime: 'podman' | 'docker',
  id: string,
  run: (args: string[], ms: number) => Promise<CommandResult>,
  timeoutMs: number,
): Promise<boolean | undefined> {
  if (runtime === 'podman') {
    const result = await run(['container', 'exists', id], timeoutMs);
    return result.outcome === 'exit' ? result.code === 1 : undefined;
  }
  const result = await run(['ps', '--all', '--quiet', '--no-trunc', '--filter', `id=${id}`], timeoutMs);
  return result.outcome === 'exit' && result.code === 0 ? result.stdout.trim() === '' : undefined;
}

function ownerOf(host: Host, { uid, store, container }: ReleaseRequest): User {
  const place =
    store === undefined || store.root === '' || container.runtime !== 'podman'
      ? undefined
      : namedPlace(host, store);
  if (place !== undefined) return place.user;
  const user = host.userByUid(uid) ?? host.userBySubUid(uid);
  return user === undefined || user === 'nobody' ? rootUser : user;
}

/** podman knows its own default store; of another one it must be told, in the words that it was made with. */
function storeOptions(host: Host, store: ContainerStore | undefined): string[] {
  const place = store === undefined || store.root === '' ? undefined : namedPlace(host, store);
  if (place === undefined || place.aliveFiles !== undefined) return [];
  const [runRoot] = place.runRoots;
  return ['--root', place.root, ...(runRoot === undefined ? [] : ['--runroot', runRoot])];
}

function refusal(detail: string): Release {
  return { steps: [], released: false, detail };
}

function describe(result: CommandResult): string {
  switch (result.outcome) {
    case 'exit':
      return result.stderr.trim().slice(0, 300) || `exit code ${result.code}`;
    case 'timeout':
      return 'the runtime did not answer in time';
    case 'failed':
      return result.reason;
  }
}
