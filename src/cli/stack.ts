import type { Config } from '../config/config.ts';
import type { ListedContainer } from '../container/runtimes/listed.ts';
import { listContainers, type Listings } from '../container/runtimes/listing.ts';
import { isStackContainer } from '../scan/stack-match.ts';
import { escape } from './escape.ts';

// podman answers late while it restarts a container again and again.
const LIST_MS = 30_000;

/** Everything that the host's engines list, with time for a busy one. */
export function listHost({ runtimeTimeoutMs }: Config): Promise<Listings> {
  return listContainers({ proc: { root: '/proc' }, timeoutMs: Math.max(runtimeTimeoutMs, LIST_MS) });
}

/** Whether the configuration counts a container among the stack's, by name, label or compose project. */
export function isOfStack(container: ListedContainer, { containers }: Config): boolean {
  return isStackContainer(container, containers);
}

/** `podman`, `podman of alice` */
export function engineText(runtime: string, user: string): string {
  return user === 'root' ? runtime : `${runtime} of ${escape(user)}`;
}
