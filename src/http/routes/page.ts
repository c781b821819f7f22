import { renderPage } from '../page/document.ts';
import { answers } from './answers.ts';
import type { App, RouteDeps } from './deps.ts';

// An hour of sweeps at the default interval.
const sweepsShown = 240;
const cleanupsShown = 50;

/** `/`: the status page. */
export function pageRoutes(app: App, { engine, mayControl, requireControl, unlockable }: RouteDeps): void {
  app.get(
    '/',
    {
      schema: {
        operationId: 'getPage',
        tags: ['page'],
        summary: 'The status page',
        description:
          'Complete without JavaScript; with it, live. Offers a clean-up where this request may control orphand.',
        response: answers(
          {
            200: {
              description: 'HTML.',
              content: {
                'text/html': {
                  schema: { type: 'string' },
                  examples: { page: { value: '<!doctype html>…' } },
                },
              },
            },
          },
          'token-invalid',
        ),
      },
    },
    async (request, reply) => {
      // A token that is presented is judged and counted as on any other route: the page must not be a way to guess it.
      if (request.headers.authorization !== undefined) await requireControl(request);
      const last = engine.lastReport();
      const page = renderPage({
        now: Date.now(),
        status: engine.status(),
        report: last?.report,
        ageMs: last?.ageMs ?? 0,
        sweeps: engine.sweeps(sweepsShown),
        cleanups: engine.cleanups(cleanupsShown),
        control: mayControl(request),
        unlockable,
      });
      return reply.type('text/html; charset=utf-8').send(page);
    },
  );
}
