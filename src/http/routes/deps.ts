import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { Report } from '../../model.ts';
import type { Engine } from '../engine.ts';
import type { EventHub } from '../events.ts';
import type { Limits } from '../limits.ts';
import type { Metrics } from '../metrics.ts';
import { ProblemError } from '../problem.ts';

/** The Fastify instance, with TypeBox schemas as types. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What the routes work with. */
export interface RouteDeps {
  engine: Engine;
  metrics: Metrics;
  hub: EventHub;
  limits: Limits;
  log: FastifyBaseLogger | undefined;
  /** Whether this request may control orphand; for the page. */
  mayControl: (request: FastifyRequest) => boolean;
  /** Whether a token is configured, which would let it. */
  unlockable: boolean;
  /** Throws ProblemError unless this request may control orphand. */
  requireControl: (request: FastifyRequest) => Promise<void>;
}

/** The newest report; throws `no-report` before the first. */
export function reportOf(engine: Engine): { report: Report; ageMs: number } {
  const last = engine.lastReport();
  if (last === undefined) {
    throw new ProblemError('no-report', 'The first sweep has not finished; try again in a moment.', {
      headers: { 'retry-after': '1' },
    });
  }
  return last;
}
