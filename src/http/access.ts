/** Who may control orphand: a peer of the unix socket, or whoever has the token. Everyone who gets in may read. */
import type { FastifyRequest } from 'fastify';
import { type Connection, connectionOf } from './door.ts';
import { type AccountFiles, mayControl } from './peers.ts';
import { ProblemError } from './problem.ts';
import { type BearerToken, noToken } from './token.ts';

/** What the configuration says of control. */
export interface Access {
  /** Group whose members may control orphand over the unix socket; empty: none. */
  group: string;
  /** undefined: over TCP there is no control. */
  token: BearerToken | undefined;
  /** For tests: whose daemon this is, and where accounts are listed. */
  ownUid?: number;
  accounts?: AccountFiles;
}

/** Who made a request, for rate limits and the log. */
export interface Caller {
  via: Connection['via'] | 'inject';
  /** Rate limits count by this: the uid, where it is known, or the address. */
  key: string;
  /** `uid 0, pid 4711` or `127.0.0.1`. */
  name: string;
}

/** Who made a request. `withPeer`: ask the kernel who connected; reads don't need to know. */
export function callerOf(request: FastifyRequest, withPeer: boolean): Caller {
  const connection = connectionOf(request.raw);
  if (connection === undefined) return { via: 'inject', key: 'inject', name: 'inject' };
  if (connection.via === 'tcp') {
    const address = connection.remoteAddress ?? 'unknown';
    return { via: 'tcp', key: address, name: address };
  }
  const peer = withPeer ? connection.peer() : undefined;
  return peer === undefined
    ? { via: 'unix', key: 'unix', name: 'unknown peer' }
    : { via: 'unix', key: `uid ${peer.uid}`, name: `uid ${peer.uid}, pid ${peer.pid}` };
}

/** Why a request may not control orphand; undefined: it may. */
export function controlRefusal(request: FastifyRequest, access: Access): ProblemError | undefined {
  const { authorization } = request.headers;
  if (authorization !== undefined) return tokenRefusal(authorization, access.token);
  const connection = connectionOf(request.raw);
  if (connection?.via === 'unix') {
    const peer = connection.peer();
    if (peer !== undefined && mayControl(peer, access.group, access)) return undefined;
    return new ProblemError(
      'peer-not-allowed',
      access.group === ''
        ? 'Only root and the user of the daemon may control orphand.'
        : `Only root, the user of the daemon and members of ${access.group} may control orphand.`,
    );
  }
  // As long as with a wrong token: that there is none is nobody's business.
  noToken.matches('');
  return new ProblemError(
    'token-required',
    'Use the unix socket, or send the token as `Authorization: Bearer …`.',
    {
      headers: { 'www-authenticate': 'Bearer' },
    },
  );
}

function tokenRefusal(authorization: string, token: BearerToken | undefined): ProblemError | undefined {
  const presented = /^Bearer +([\w+/=.~-]+)$/i.exec(authorization)?.[1] ?? '';
  if ((token ?? noToken).matches(presented)) return undefined;
  return new ProblemError('token-invalid', undefined, {
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  });
}
