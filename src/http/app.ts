/** The HTTP side of the daemon: one Fastify app behind a unix and a TCP socket. */
import helmet from '@fastify/helmet';
import type { FastifyBaseLogger, FastifyRequest } from 'fastify';
import { peerCredentials } from '../linux/peercred.ts';
import { type Access, callerOf, controlRefusal } from './access.ts';
import { addDefences, addErrors, createApp } from './base.ts';
import { createDoor } from './door.ts';
import type { Engine } from './engine.ts';
import { createEventHub } from './events.ts';
import { type Limits, defaultLimits } from './limits.ts';
import { type Bound, type Endpoint, listenOn } from './listen.ts';
import { createMethodTable } from './methods.ts';
import { createMetrics } from './metrics.ts';
import { addDocs } from './openapi.ts';
import { pageHelmet } from './page/assets.ts';
import type { ReadCredentials } from './peers.ts';
import { ProblemError } from './problem.ts';
import { cleanupRoutes } from './routes/cleanups.ts';
import type { App, RouteDeps } from './routes/deps.ts';
import { healthRoutes } from './routes/health.ts';
import { pageRoutes } from './routes/page.ts';
import { readRoutes } from './routes/reads.ts';
import { streamRoutes } from './routes/stream.ts';
import { addSchemas } from './schemas/all.ts';

/** What the HTTP side is built from. */
export interface HttpOptions {
  engine: Engine;
  access: Access;
  version: string;
  /** pino, or anything that logs like it; undefined: silent. */
  log?: FastifyBaseLogger | undefined;
  limits?: Partial<Limits>;
  /** Whether the TCP socket may be on another address than loopback; its own address then is a Host that is accepted. */
  allowRemote?: boolean;
  /** Further Host names with `allowRemote`. */
  extraNames?: readonly string[];
  /** For tests: how SO_PEERCRED is read. */
  credentials?: ReadCredentials;
}

/** The HTTP side, not listening yet. */
export interface HttpSide {
  /** For tests (`inject`) and the OpenAPI document. */
  readonly app: App;
  /** Opens one more socket for the app. Throws ListenError. */
  listen(endpoint: Endpoint): Promise<Bound>;
  /** Stops accepting, ends the event streams, waits `graceMs` for answers under way, then cuts them. */
  close(graceMs?: number): Promise<void>;
}

/** Builds the app; it answers `inject` at once and sockets after `listen`. */
export async function buildHttp(options: HttpOptions): Promise<HttpSide> {
  const { engine, access, version, log } = options;
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const app = createApp(limits);

  const metrics = createMetrics(engine, version, limits.freshMs);
  const hub = createEventHub(engine, limits, (unreadBytes) => {
    log?.warn({ unreadBytes }, 'event stream dropped: its reader is too slow');
  });

  addErrors(app, log);
  await addDefences(app, limits);
  addSchemas(app);
  await addDocs(app, version);
  const methods = createMethodTable();
  app.addHook('onRoute', ({ url, method }) => {
    methods.add(url, [method].flat());
  });

  const failures = app.createRateLimit({
    max: limits.failuresPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request: FastifyRequest) => callerOf(request, true).key,
  });
  const deps: RouteDeps = {
    engine,
    metrics,
    hub,
    limits,
    log,
    mayControl: (request) => controlRefusal(request, access) === undefined,
    unlockable: access.token !== undefined,
    async requireControl(request) {
      const refused = controlRefusal(request, access);
      if (refused === undefined) return;
      // Only failures are counted, so nobody can lock out who has the token by guessing at it.
      const count = await failures(request);
      log?.warn({ caller: callerOf(request, true).name, code: refused.code }, 'control refused');
      if (!count.isAllowed && count.isExceeded) {
        throw new ProblemError('rate-limited', 'Too many failed attempts at control.', {
          headers: { 'retry-after': String(count.ttlInSeconds) },
        });
      }
      throw refused;
    },
  };
  // After the plugins are loaded, so that their hooks see the routes.
  await app.register((scope: App, _options, done) => {
    for (const add of [healthRoutes, readRoutes, cleanupRoutes, streamRoutes]) add(scope, deps);
    done();
  });
  // In a scope of its own: helmet puts its headers together anew for each request, 15 µs that only HTML is worth.
  await app.register(async (scope: App) => {
    await scope.register(helmet, pageHelmet);
    pageRoutes(scope, deps);
  });
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request) => {
    const [path = '/'] = request.url.split('?');
    const allowed = methods.allowed(path);
    if (allowed.length === 0) throw new ProblemError('not-found');
    throw new ProblemError('method-not-allowed', `It takes ${allowed.join(', ')}.`, {
      headers: { allow: allowed.join(', ') },
    });
  });
  await app.ready();

  const servers = new Set<ReturnType<typeof createDoor>>();
  return {
    app,
    async listen(endpoint) {
      const server = createDoor({
        routing: (request, response) => {
          app.routing(request, response);
        },
        credentials: options.credentials ?? peerCredentials,
        limits,
        allowRemote: options.allowRemote ?? false,
        extraNames: options.extraNames ?? [],
      });
      const bound = await listenOn(server, endpoint);
      servers.add(server);
      return bound;
    },
    async close(graceMs = 2_000) {
      const closed = [...servers].map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => {
              resolve();
            });
          }),
      );
      hub.close();
      metrics.close();
      for (const server of servers) server.closeIdleConnections();
      const cut = setTimeout(() => {
        for (const server of servers) server.closeAllConnections();
      }, graceMs);
      await Promise.all(closed);
      clearTimeout(cut);
      await app.close();
    },
  };
}
