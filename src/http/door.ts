/** A listening socket in front of the app: who comes in where, and what is turned away before routing. */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { Socket } from 'node:net';
import { type Arrival, refusal } from './guard.ts';
import { answerRaw, rawAnswer } from './headers.ts';
import type { Limits } from './limits.ts';
import { type Peer, type ReadCredentials, peerOf } from './peers.ts';
import { ProblemError } from './problem.ts';

/** A connection, for as long as it lasts. */
export interface Connection extends Arrival {
  /** The remote address (TCP). */
  remoteAddress: string | undefined;
  /** The process at the other end (unix). Read once: SO_PEERCRED is of the time of connect(2). */
  peer(): Peer | undefined;
}

const connections = new WeakMap<Socket, Connection>();

/** Where a request came in; undefined for one that came through no socket (inject). */
export function connectionOf(request: IncomingMessage): Connection | undefined {
  return connections.get(request.socket);
}

/** What a door needs to know. */
export interface DoorOptions {
  routing: (request: IncomingMessage, response: ServerResponse) => void;
  credentials: ReadCredentials;
  limits: Limits;
  allowRemote: boolean;
  /** Names of this host besides localhost, with allowRemote. */
  extraNames: readonly string[];
}

/** A server that does not listen yet. Whether it is the unix or the TCP one is what it will listen on. */
export function createDoor(options: DoorOptions): Server {
  const { routing, credentials, limits } = options;
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      keepAliveTimeout: limits.keepAliveMs,
      maxHeaderSize: limits.headerBytes,
      // A missing Host is the guard's to answer.
      requireHostHeader: false,
    },
    (request, response) => {
      const connection = connections.get(request.socket);
      const refused =
        connection === undefined ? new ProblemError('internal') : refusal(request, connection, options);
      if (refused === undefined) routing(request, response);
      else answerRaw(response, refused);
    },
  );
  server.maxConnections = limits.maxConnections;
  server.setTimeout(limits.idleTimeoutMs);
  server.on('connection', (socket: Socket) => {
    const via = isTcp(server) ? 'tcp' : 'unix';
    let peer: { found: Peer | undefined } | undefined;
    connections.set(socket, {
      via,
      localAddress: socket.localAddress,
      localPort: socket.localPort,
      remoteAddress: socket.remoteAddress,
      peer: () => (peer ??= { found: via === 'unix' ? peerOf(socket, credentials) : undefined }).found,
    });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || socket.destroyed) return;
    if (socket.writable) socket.end(rawAnswer(problemOf(error)));
    // A client that does not read its 408 must not keep the connection.
    socket.destroySoon();
  });
  return server;
}

/** Whether a listening server's socket is a TCP one. For a passed-in unix socket node knows no address at all. */
export function isTcp(server: Server): boolean {
  const address = server.address();
  return typeof address === 'object' && address !== null;
}

function problemOf(error: NodeJS.ErrnoException): ProblemError {
  if (error.code === 'HPE_HEADER_OVERFLOW') return new ProblemError('headers-too-large');
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') return new ProblemError('request-timeout');
  return new ProblemError('bad-request');
}
