import Type from 'typebox';
import { ProblemError } from '../problem.ts';
import { Shape } from '../schemas/named.ts';
import { answers } from './answers.ts';
import type { App, RouteDeps } from './deps.ts';

const Fine = Shape(
  { status: Type.Literal('ok', { description: 'Always `ok`; anything else is a problem.' }) },
  { description: 'All is well.', examples: [{ status: 'ok' }] },
);

/** `/healthz`, `/readyz` and `/metrics`: for machines that watch machines. */
export function healthRoutes(app: App, { engine, metrics }: RouteDeps): void {
  app.get(
    '/healthz',
    {
      schema: {
        operationId: 'getHealth',
        tags: ['health'],
        summary: 'Does it still sweep?',
        description: 'Fails when no sweep finished within three intervals.',
        response: answers({ 200: Fine }, 'unhealthy'),
      },
    },
    () => {
      const { healthy, problem } = engine.status();
      if (!healthy)
        throw new ProblemError('unhealthy', problem ?? undefined, { headers: { 'retry-after': '15' } });
      return { status: 'ok' as const };
    },
  );

  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'getReadiness',
        tags: ['health'],
        summary: 'Has the first sweep finished?',
        description: 'Succeeds from the first finished sweep on.',
        response: answers({ 200: Fine }, 'not-ready'),
      },
    },
    () => {
      const { ready, problem } = engine.status();
      if (!ready)
        throw new ProblemError('not-ready', problem ?? undefined, { headers: { 'retry-after': '1' } });
      return { status: 'ok' as const };
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'getMetrics',
        tags: ['health'],
        summary: 'Metrics for Prometheus',
        description: 'Exposition text; at most 300 series on a default host, no label taken from a process.',
        response: answers({
          200: {
            description: 'Prometheus exposition format.',
            content: {
              'text/plain': {
                schema: { type: 'string' },
                examples: {
                  metrics: {
                    value: 'orphand_port_held{port="8091",service="aidb-http",verdict="orphan"} 1\n',
                  },
                },
              },
            },
          },
        }),
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
}
