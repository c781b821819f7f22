/**
 * What is refused before routing: requests that another site's page, a rebound DNS name or a confused proxy made.
 * Each check has an incident behind it (CVE-2022-41924, CVE-2018-5702, CVE-2014-5279 …).
 */
import type { IncomingHttpHeaders } from 'node:http';
import { ProblemError } from './problem.ts';

/** Where a request came in, and what may be called by name there. */
export interface Arrival {
  via: 'unix' | 'tcp';
  /** Local address and port of the connection (TCP). */
  localAddress: string | undefined;
  localPort: number | undefined;
  /** The Host, in lower case, that was last found to be ours: a kept connection says the same one each time. */
  knownHost?: string;
}

/** The parts of a request that are judged. */
export interface RequestHead {
  url?: string | undefined;
  headers: IncomingHttpHeaders;
}

// Names that no DNS answer can point elsewhere. The unix socket has one more: `curl --unix-socket … http://orphand/`.
const loopbackNames: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];
const hostHeader = /^([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?$/;

/**
 * Why a request is refused, or undefined. `extraNames` are further names of this host (only with allowRemote, where
 * the connection's own address is a name too: an attacker's page has a domain name, never this literal).
 */
export function refusal(
  { url, headers }: RequestHead,
  arrival: Arrival,
  { allowRemote = false, extraNames = [] }: { allowRemote?: boolean; extraNames?: readonly string[] } = {},
): ProblemError | undefined {
  // Absolute form (`GET http://…`) would name a host of its own; this is no proxy.
  if (url?.startsWith('/') !== true)
    return new ProblemError('bad-url', 'The address must begin with a slash.');
  const host = headers.host?.toLowerCase() ?? '';
  if (host !== arrival.knownHost) {
    const remote = allowRemote && arrival.via === 'tcp' ? [literal(arrival.localAddress), ...extraNames] : [];
    if (!isOurs(host, arrival, remote)) {
      return new ProblemError(
        'wrong-host',
        arrival.via === 'unix'
          ? 'Over the unix socket the Host must be localhost or orphand.'
          : `The Host must be ${loopbackNames.map((name) => `${name}:${arrival.localPort ?? '?'}`).join(', ')}.`,
      );
    }
    arrival.knownHost = host;
  }
  const { origin, referer, 'sec-fetch-site': site } = headers;
  const own = `http://${host}`;
  const foreign =
    (origin !== undefined && origin !== own) ||
    (referer !== undefined && referer !== own && !referer.startsWith(`${own}/`)) ||
    (site !== undefined && site !== 'same-origin' && site !== 'none');
  return foreign
    ? new ProblemError('cross-origin', 'This request was made by another site; open the address itself.')
    : undefined;
}

function isOurs(host: string, { via, localPort }: Arrival, remote: readonly string[]): boolean {
  const match = hostHeader.exec(host);
  if (match === null) return false;
  const [, name = '', port] = match;
  // A forwarded unix socket (`ssh -L 9999:/run/orphand/orphand.sock`) is seen under any port of localhost.
  if (via === 'unix') return name === 'orphand' || loopbackNames.includes(name);
  return Number(port ?? 80) === localPort && (loopbackNames.includes(name) || remote.includes(name));
}

/** An address as it stands in a URL: IPv6 in brackets, IPv4 also where it came in mapped. */
function literal(address = ''): string {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  return plain.includes(':') ? `[${plain}]` : plain;
}
