import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { CleanReport } from '../../model.ts';
import { callerOf } from '../access.ts';
import type { CleanupStart, Engine } from '../engine.ts';
import { ProblemError } from '../problem.ts';
import { CleanReportSchema, CleanupEntrySchema, CleanupRequestSchema } from '../schemas/cleanup.ts';
import { Exactly, Shape, Ref } from '../schemas/named.ts';
import { ReportSchema } from '../schemas/report.ts';
import { answers } from './answers.ts';
import type { App, RouteDeps } from './deps.ts';

const mostListed = 200;
const Id = Type.String({
  pattern: '^[A-Za-z0-9_.:-]{1,64}$',
  description: 'Id of a clean-up.',
  examples: ['01JZ8C4T'],
});
const security = [{ unixPeer: [] }, { bearer: [] }];

/** Fresh scans and clean-ups: the only routes that do something. */
export function cleanupRoutes(app: App, { engine, limits, log, requireControl }: RouteDeps): void {
  const control = {
    onRequest: requireControl,
    config: {
      rateLimit: {
        max: limits.controlPerMinute,
        timeWindow: 60_000,
        keyGenerator: (request: FastifyRequest) => callerOf(request, true).key,
      },
    },
  };

  app.post(
    '/api/v1/scans',
    {
      ...control,
      schema: {
        operationId: 'createScan',
        tags: ['control'],
        summary: 'Scan now',
        description: 'Scans the host and answers with the fresh report. Takes no body.',
        security,
        response: answers(
          { 200: Ref(ReportSchema) },
          'token-required',
          'token-invalid',
          'peer-not-allowed',
          'scan-failed',
        ),
      },
    },
    async (request) => {
      if (request.body !== undefined) throw new ProblemError('bad-request', 'A scan takes no body.');
      try {
        return await engine.scan();
      } catch (error) {
        log?.error({ err: error }, 'requested scan failed');
        throw new ProblemError('scan-failed', 'The scan failed; the log of the daemon says why.');
      }
    },
  );

  app.post(
    '/api/v1/cleanups',
    {
      ...control,
      schema: {
        operationId: 'createCleanup',
        tags: ['control'],
        summary: 'Clean up, or plan it',
        description:
          'Two looks, then ends exactly the processes that both proved, as `orphand clean` does, and answers when it is over. ' +
          'It never takes a pid. A client that goes away does not stop it.',
        security,
        body: CleanupRequestSchema,
        response: answers(
          {
            201: Type.Unsafe<CleanReport>({
              ...Ref(CleanReportSchema, 'What was done, or with `dryRun` what would be.'),
              headers: { location: { type: 'string', description: 'Where this report stays.' } },
            }),
          },
          'invalid-request',
          'token-required',
          'token-invalid',
          'peer-not-allowed',
          'port-not-watched',
          'cleanup-running',
          'cleanup-locked',
          'body-too-large',
          'unsupported-media-type',
          'cleanup-failed',
          'stopping',
        ),
      },
    },
    async (request, reply) => {
      const { dryRun, suspects = false, ports } = request.body;
      requireWatched(engine, ports);
      const by = request.headers.authorization === undefined ? '' : 'token, ';
      const start = engine.startCleanup({
        dryRun,
        suspects,
        ports,
        by: `${by}${callerOf(request, true).name}`,
      });
      if (!start.started) throw conflict(start);
      let report: CleanReport;
      try {
        report = await start.done;
      } catch (error) {
        log?.error({ err: error, cleanup: start.id }, 'requested cleanup failed');
        throw new ProblemError(
          'cleanup-failed',
          `Clean-up ${start.id} failed; the log of the daemon says why.`,
        );
      }
      return reply.code(201).header('location', `/api/v1/cleanups/${start.id}`).send(report);
    },
  );

  app.get(
    '/api/v1/cleanups',
    {
      schema: {
        operationId: 'listCleanups',
        tags: ['report'],
        summary: 'Clean-ups, newest first',
        description: `At most the newest ${mostListed}, those of former daemons and of the command line included.`,
        response: answers({
          200: Shape(
            { cleanups: Type.Array(Ref(CleanupEntrySchema)) },
            { description: 'What was cleaned up, and how it went.' },
          ),
        }),
      },
    },
    () => ({ cleanups: engine.cleanups(mostListed) }),
  );

  app.get(
    '/api/v1/cleanups/:id',
    {
      schema: {
        operationId: 'getCleanup',
        tags: ['report'],
        summary: 'One clean-up',
        description: 'The same object as `orphand clean --json`.',
        params: Exactly({ id: Id }),
        response: answers(
          { 200: Ref(CleanReportSchema), 202: Ref(CleanupEntrySchema, 'It still runs.') },
          'invalid-request',
          'cleanup-not-found',
          'cleanup-report-not-kept',
        ),
      },
    },
    (request, reply) => {
      const { id } = request.params;
      const found = engine.cleanup(id);
      if (found === undefined) throw new ProblemError('cleanup-not-found', `There is no clean-up ${id}.`);
      if (found.report !== undefined) return found.report;
      if (found.entry.state !== 'running') {
        throw new ProblemError(
          'cleanup-report-not-kept',
          `Of clean-up ${id} only the journal is left; see /api/v1/cleanups.`,
        );
      }
      reply.code(202).header('retry-after', 1);
      return found.entry;
    },
  );
}

/** A request can narrow the configured ports, never add one. */
function requireWatched(engine: Engine, ports: number[] | undefined): void {
  const watched = new Set(engine.watched().map(({ port }) => port));
  const foreign = ports?.find((port) => !watched.has(port));
  if (foreign !== undefined) throw new ProblemError('port-not-watched', `Port ${foreign} is not watched.`);
}

function conflict(start: Exclude<CleanupStart, { started: true }>): ProblemError {
  switch (start.reason) {
    case 'running':
      return new ProblemError('cleanup-running', `Clean-up ${start.id} runs.`, {
        extras: { runningId: start.id },
      });
    case 'locked':
      return new ProblemError(
        'cleanup-locked',
        'Another orphand on this host is cleaning up; try again in a moment.',
      );
    case 'stopping':
      return new ProblemError('stopping', undefined, { headers: { 'retry-after': '5' } });
  }
}
