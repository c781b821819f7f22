/** What every route stands on: the Fastify instance, its errors, headers and limits. */
import rateLimit from '@fastify/rate-limit';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, {
  type FastifyBaseLogger,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { callerOf } from './access.ts';
import { problemOf } from './errors.ts';
import { answerRaw, strictHeaders } from './headers.ts';
import type { Limits } from './limits.ts';
import { ProblemError, problemType } from './problem.ts';
import type { App } from './routes/deps.ts';

/** Fastify as everything here needs it: strict schemas, JSON only, problems for errors that it makes itself. */
export function createApp(limits: Limits): App {
  const app = fastify({
    // With one it listens for the end of every answer and looks at a logger for every request: 1 of 17 µs. What is worth
    // a line is logged here and by the routes.
    logger: false,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.bodyBytes,
    requestIdHeader: false,
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
export function addErrors(app: App, log: FastifyBaseLogger | undefined): void {
  app.setErrorHandler((error, _request, reply) => {
    const problem = problemOf(error);
    const body = problem.body();
    if (body.status >= 500 && !(error instanceof ProblemError)) log?.error({ err: error }, 'request failed');
    return reply.code(body.status).headers(problem.headers).type(problemType).send(JSON.stringify(body));
  });
  app.addHook('onRequest', (request, reply, done) => {
    const control = request.method === 'POST';
    if (log !== undefined && (control || log.level === 'debug' || log.level === 'trace'))
      logAnswer(log, request, reply, control);
    done();
  });
}

function logAnswer(
  log: FastifyBaseLogger,
  request: FastifyRequest,
  reply: FastifyReply,
  control: boolean,
): void {
  const begin = performance.now();
  reply.raw.once('close', () => {
    log[control ? 'info' : 'debug'](
      {
        method: request.method,
        path: request.url,
        status: reply.statusCode,
        ms: Math.round(performance.now() - begin),
        caller: callerOf(request, control).name,
      },
      'request answered',
    );
  });
}

/** Strict headers on every answer that does not bring its own, and the limit that every request counts against unless its route has another. */
export async function addDefences(app: App, limits: Limits): Promise<void> {
  app.addHook('onSend', (_request, reply, payload, done) => {
    for (const [name, value] of Object.entries(strictHeaders))
      if (!reply.hasHeader(name)) reply.header(name, value);
    done(null, payload);
  });
  // 2 of the 17 µs that a read takes, for a limit that others look after.
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
