/** What every route stands on: the Fastify instance, its errors, headers and limits. */
import rateLimit from '@fastify/rate-limit';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { callerOf } from './access.ts';
import { problemOf } from './errors.ts';
import { answerRaw, strictHeaders } from './headers.ts';
import type { Limits } from './limits.ts';
import { ProblemError, problemType } from './problem.ts';
import type { App } from './routes/deps.ts';

/** Fastify as everything here needs it: strict schemas, JSON only, problems for errors that it makes itself. */
export function createApp(log: FastifyBaseLogger | undefined, limits: Limits): App {
  const app = fastify({
    ...(log === undefined ? { logger: false } : { loggerInstance: log }),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    requestIdHeader: false,
    // A line says everything by itself, so no request needs a logger of its own.
    childLoggerFactory: (logger) => logger,
    // Fastify's own answer while closing is no problem document; the sockets are closed anyway.
    return503OnClosing: false,
    // By default "99" becomes 99, unknown members vanish and defaults appear: a request must say what it means.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, strict: true } },
    frameworkErrors(error, _request, reply) {
      answerRaw(reply.raw, problemOf(error));
    },
  }).withTypeProvider<TypeBoxTypeProvider>();
  // Only JSON: a form of another site can send text/plain.
  app.removeContentTypeParser('text/plain');
  return app;
}

/** Answers every error with a problem, and logs who asked for control. */
export function addErrors(app: App): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    const body = problem.body();
    if (body.status >= 500 && !(error instanceof ProblemError))
      request.log.error({ err: error }, 'request failed');
    return reply.code(body.status).headers(problem.headers).type(problemType).send(JSON.stringify(body));
  });
  app.addHook('onResponse', (request, reply, done) => {
    const control = request.method === 'POST';
    if (!control && app.log.level !== 'debug' && app.log.level !== 'trace') {
      done();
      return;
    }
    request.log[control ? 'info' : 'debug'](
      {
        method: request.method,
        path: request.url,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        caller: callerOf(request, control).name,
      },
      'request answered',
    );
    done();
  });
}

/** Strict headers on every answer, and the limit that every request counts against. */
export async function addDefences(app: App, limits: Limits): Promise<void> {
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(strictHeaders);
    done();
  });
  await app.register(rateLimit, {
    max: limits.requestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => callerOf(request, false).key,
    // How much is left is said when nothing is: three headers on every answer cost more than many answers.
    addHeadersOnExceeding: {
      'x-ratelimit-limit': false,
      'x-ratelimit-remaining': false,
      'x-ratelimit-reset': false,
    },
  });
}
