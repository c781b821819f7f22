import { isIPv4 } from 'node:net';
import type { Config } from '../config/config.ts';
import type { Endpoint } from '../http/listen.ts';
import type { PassedSocket } from './passed-sockets.ts';

/** A socket to open: the first of its places that can be had. */
export interface Wanted {
  kind: 'control' | 'http';
  places: Endpoint[];
}

/** A `host:port` taken apart; brackets of IPv6 removed. The configuration's schema has checked its form. */
export function hostAndPort(listen: string): { host: string; port: number } {
  const at = listen.lastIndexOf(':');
  return { host: listen.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(listen.slice(at + 1)) };
}

/** Whether an address reaches no further than this host. `localhost` is one by convention (RFC 6761). */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** The sockets to serve: those that systemd passed in and no others, or else the configured ones. Pure. */
export function wantedSockets(
  { http }: Pick<Config, 'http'>,
  paths: readonly string[],
  passed: readonly PassedSocket[],
): Wanted[] {
  const given = passed.map(({ fd, name }): Wanted => {
    if (name === 'control') return { kind: 'control', places: [{ fd, via: 'unix' }] };
    // Of a unit that is not ours: served, whatever it turns out to be.
    return { kind: 'http', places: [name === 'http' ? { fd, via: 'tcp' } : { fd }] };
  });
  // The unit has no network of its own: what it would open itself, nobody could reach.
  if (given.length > 0) return given;
  const control = paths.map((path) => ({ path, group: http.socketGroup }));
  return [
    ...(control.length === 0 ? [] : [{ kind: 'control' as const, places: control }]),
    ...(http.listen === '' ? [] : [{ kind: 'http' as const, places: [hostAndPort(http.listen)] }]),
  ];
}
