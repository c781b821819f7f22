import type { ReportedPort, ReportedProcess } from '../model.ts';
import type { Listed } from './waiting.ts';

/** A container whose published port somebody else holds for it. */
export interface Publisher {
  runtime: string;
  user: string;
  name: string;
}

/**
 * The running containers that publish a port which a runtime's own process holds (docker-proxy, rootlessport, a conmon);
 * undefined where no such process does. None at all means that a forwarder may have been left over. Pure.
 */
export function publishersOf(
  { port, protocol }: ReportedPort,
  holders: readonly ReportedProcess[],
  listed: readonly Listed[],
): Publisher[] | undefined {
  if (!holders.some(({ verdict }) => verdict === 'helper')) return undefined;
  return listed
    .filter(({ state }) => state === 'running')
    .filter(({ published }) => published.some((each) => each.port === port && each.protocol === protocol))
    .map(({ runtime, user, id, name = id.slice(0, 12) }) => ({ runtime, user, name }));
}
