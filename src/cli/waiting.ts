import type { ListedContainer } from '../container/runtimes/listed.ts';
import type { ReportedProcess } from '../model.ts';

/** A container that its restart policy starts again and again. */
export interface Waiting {
  runtime: string;
  user: string;
  name: string;
  restartCount: number;
  /** When it was started last, RFC 3339; null where the engine does not say. */
  startedAt: string | null;
  /** How it is known to be about this port: `an earlier life of it holds the port`, `its environment has PORT=8091`. */
  why: string;
}

/** A container as an engine of a user lists it. */
export type Listed = ListedContainer & { runtime: string; user: string };

// docker waits up to a minute between two restarts, podman hardly at all.
const RECENT_MS = 60_000;

/** The containers in a crash loop that want a port: they name it, or what holds it is of an earlier life of theirs. Pure. */
export function waitingFor(
  port: number,
  holders: readonly ReportedProcess[],
  listed: readonly Listed[],
  now: number,
): Waiting[] {
  return listed.flatMap((container) => {
    const { runtime, user, id, name = id.slice(0, 12), restartCount = 0, startedAt = null } = container;
    if (!isLooping(container, now)) return [];
    const own = holders.filter((holder) => holder.container?.id === id);
    // Its present life has the port: whatever it loops for, it is not this.
    if (own.some(({ verdict }) => verdict === 'container')) return [];
    const namesake = holders.find((holder) => holder.container?.name === name);
    const why =
      own.length > 0 || namesake !== undefined
        ? 'an earlier life of it holds the port'
        : mentionOf(port, container);
    return why === undefined ? [] : [{ runtime, user, name, restartCount, startedAt, why }];
  });
}

function isLooping(
  { restartPolicy, restartCount = 0, startedAt, state }: ListedContainer,
  now: number,
): boolean {
  if (restartPolicy === undefined || restartCount === 0) return false;
  return state === 'restarting' || (startedAt !== undefined && now - Date.parse(startedAt) < RECENT_MS);
}

/** Where a container's settings have a port; undefined: nowhere. */
function mentionOf(
  port: number,
  { published, env, command, healthCheck }: ListedContainer,
): string | undefined {
  const number = new RegExp(`(^|[^0-9.])${port}([^0-9.]|$)`);
  if (published.some((each) => each.port === port)) return 'it publishes the port';
  const variable = env.find((each) => number.test(each.slice(each.indexOf('=') + 1)));
  if (variable !== undefined) return `its environment has ${variable.slice(0, 80)}`;
  if (command.some((word) => number.test(word))) return 'its command names the port';
  return healthCheck.some((word) => number.test(word)) ? 'its health check asks the port' : undefined;
}
