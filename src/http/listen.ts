/** Makes a server listen: on a path, an address, or a descriptor that systemd passed in. */
import { chownSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { makeDirectory } from '../linux/make-directory.ts';
import { isTcp } from './door.ts';

/** Where to listen. `via` with a descriptor: what it must turn out to be. */
export type Endpoint =
  { fd: number; via?: 'unix' | 'tcp' } | { path: string; group: string } | { host: string; port: number };

/** Where a server listens. */
export interface Bound {
  via: 'unix' | 'tcp';
  /** `127.0.0.1:9713`, a path, or `fd 3`. */
  address: string;
  /** undefined for a unix socket. */
  port: number | undefined;
  /** Something that is not as asked, in one line: the group could not be set. */
  warning: string | undefined;
}

/** The socket can't be had; the message is one line for the person who started orphand. */
export class ListenError extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.name = 'ListenError';
    this.code = code;
  }
}

/** Listens. Throws ListenError. */
export async function listenOn(server: Server, endpoint: Endpoint): Promise<Bound> {
  if ('path' in endpoint) {
    try {
      return await onPath(server, endpoint.path, endpoint.group);
    } catch (error) {
      if (error instanceof ListenError) throw error;
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
      throw new ListenError(`can't listen on ${endpoint.path} (${code})`, code);
    }
  }
  const name = 'fd' in endpoint ? `fd ${endpoint.fd}` : `${endpoint.host}:${endpoint.port}`;
  await started(server, name, () => {
    server.listen('fd' in endpoint ? { fd: endpoint.fd } : { host: endpoint.host, port: endpoint.port });
  });
  const via = isTcp(server) ? 'tcp' : 'unix';
  if ('fd' in endpoint && endpoint.via !== undefined && endpoint.via !== via) {
    server.close();
    throw new ListenError(
      `${name} was passed in as the ${endpoint.via} socket but is a ${via} one`,
      'EPROTOTYPE',
    );
  }
  const address = server.address();
  if (typeof address !== 'object' || address === null)
    return { via, address: name, port: undefined, warning: undefined };
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { via, address: `${host}:${address.port}`, port: address.port, warning: undefined };
}

async function onPath(server: Server, path: string, group: string): Promise<Bound> {
  try {
    makeDirectory(dirname(path), 0o755);
  } catch (error) {
    const { code = 'unknown error', message } = error as NodeJS.ErrnoException;
    throw new ListenError(`can't listen on ${path} (${message})`, code);
  }
  await removeStale(path);
  const gid = group === '' ? undefined : groupId(group);
  // bind(2) happens within listen(): the socket never exists with a wider mode than it is to have.
  const before = process.umask(gid === undefined ? 0o177 : 0o117);
  try {
    await started(server, path, () => {
      server.listen({ path });
      process.umask(before);
    });
  } finally {
    process.umask(before);
  }
  let warning: string | undefined;
  if (group !== '' && gid === undefined)
    warning = `there is no group ${group}: only this user and root can connect`;
  if (gid !== undefined) {
    try {
      chownSync(path, -1, gid);
    } catch (error) {
      warning = `can't give ${path} to group ${group} (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`;
    }
  }
  return { via: 'unix', address: path, port: undefined, warning };
}

/** A socket file that nobody listens on any more stops the next bind; one that somebody does is left alone. */
async function removeStale(path: string): Promise<void> {
  try {
    if (!statSync(path).isSocket()) throw new ListenError(`${path} is there and is not a socket`, 'EEXIST');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const code = await new Promise<string | undefined>((resolve) => {
    const socket = connect({ path }, () => {
      socket.destroy();
      resolve(undefined);
    }).on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code);
    });
  });
  if (code === 'ECONNREFUSED') unlinkSync(path);
  else if (code !== 'ENOENT') throw new ListenError(`${path} is in use by another process`, 'EADDRINUSE');
}

function started(server: Server, name: string, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'unknown error';
      reject(new ListenError(`can't listen on ${name} (${code})`, code));
    };
    server.once('error', failed);
    server.once('listening', () => {
      server.off('error', failed);
      resolve();
    });
    listen();
  });
}

function groupId(name: string): number | undefined {
  // group(5); a host without the file has no groups to give it to.
  const line = lines('/etc/group').find((entry) => entry.startsWith(`${name}:`));
  const gid = Number(line?.split(':')[2]);
  return Number.isInteger(gid) ? gid : undefined;
}

function lines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
}
