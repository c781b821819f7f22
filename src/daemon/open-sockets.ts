import { ConfigError } from '../config/error.ts';
import { type Bound, type Endpoint, ListenError } from '../http/listen.ts';
import { hostAndPort, isLoopback, type Wanted } from './endpoints.ts';

/** What was opened, and what is not as it should be. */
export interface Opened {
  bounds: Bound[];
  /** One line each, for the log and the status. */
  warnings: string[];
}

const notOurs = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOENT']);

/**
 * Opens every socket that is wanted, each at the first of its places that this user may write. A control socket that has
 * no such place is a warning, while there is another socket. Throws ListenError.
 */
export async function openSockets(
  listen: (endpoint: Endpoint) => Promise<Bound>,
  wanted: readonly Wanted[],
): Promise<Opened> {
  const bounds: Bound[] = [];
  const warnings: string[] = [];
  for (const { kind, places } of wanted) {
    const failures: string[] = [];
    for (const place of places) {
      try {
        const bound = await listen(place);
        bounds.push(bound);
        if (bound.warning !== undefined) warnings.push(bound.warning);
        break;
      } catch (error) {
        if (!(error instanceof ListenError)) throw error;
        const optional = kind === 'control' && wanted.length > 1 && notOurs.has(error.code);
        if (!optional) throw explained(error, place);
        failures.push(error.message);
      }
    }
    if (failures.length === places.length) warnings.push(`no control socket: ${failures.join('; ')}`);
  }
  return { bounds, warnings };
}

/** Refuses a TCP socket that others can reach, unless the configuration allows it and control needs a token. Throws ConfigError. */
export function refuseRemote(address: string, allowRemote: boolean, hasToken: boolean): void {
  if (isLoopback(hostAndPort(address).host) || (allowRemote && hasToken)) return;
  const missing = allowRemote ? 'http.tokenFile' : 'http.allowRemote: true and http.tokenFile';
  throw new ConfigError([`${address} is not a loopback address: set ${missing} if others may reach it`]);
}

function explained(error: ListenError, place: Endpoint): ListenError {
  if (error.code !== 'EADDRINUSE') return error;
  const where =
    'path' in place ? place.path : 'host' in place ? `${place.host}:${place.port}` : `fd ${place.fd}`;
  return new ListenError(`${where} is in use: another orphand may be running (orphand status)`, error.code);
}
