import { ProblemError } from '../problem.ts';
import { answers } from './answers.ts';
import type { App, RouteDeps } from './deps.ts';

const example = `retry: 3000

id: 5f1c22d0-1
event: finding
data: {"change":"appeared","at":"2026-01-02T09:00:15.020Z","previous":null,"process":{"pid":1328823,"verdict":"orphan"}}

: still here

`;

/** `/api/v1/events`. */
export function streamRoutes(app: App, { hub }: RouteDeps): void {
  app.get(
    '/api/v1/events',
    {
      // A HEAD would open a stream that nobody reads.
      exposeHeadRoute: false,
      schema: {
        operationId: 'streamEvents',
        tags: ['report'],
        summary: 'What happens, as it happens',
        description:
          'Server-sent events: `sweep` (a Sweep), `finding` (a process became, changed or stopped being an orphan, a suspect or unknown) ' +
          'and `cleanup` (a Cleanup, at its start and its end). A comment every 15 s. A reader that does not keep up is dropped; ' +
          'one that comes back with `Last-Event-ID` gets what it missed, as far as it is kept.',
        response: answers(
          {
            200: {
              description: 'An endless stream.',
              content: {
                'text/event-stream': { schema: { type: 'string' }, examples: { events: { value: example } } },
              },
            },
          },
          'too-many-streams',
        ),
      },
    },
    (request, reply) => {
      if (hub.isFull())
        throw new ProblemError('too-many-streams', undefined, { headers: { 'retry-after': '5' } });
      const lastEventId = request.headers['last-event-id'];
      // From here on the response is the hub's; Fastify sends nothing.
      reply.hijack();
      hub.open(reply.raw, typeof lastEventId === 'string' ? lastEventId : undefined);
    },
  );
}
