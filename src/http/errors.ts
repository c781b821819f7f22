/** Turns whatever Fastify or a route throws into a problem. */
import type { FastifyError } from 'fastify';
import { type ProblemCode, ProblemError } from './problem.ts';

const byCode: Readonly<Record<string, ProblemCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_INVALID_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_BAD_URL: 'bad-url',
  FST_ERR_MAX_PARAM_LENGTH: 'url-too-long',
};

/** The problem that an error is. What a bug throws stays in the log: the client only learns that there was one. */
export function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const { code, statusCode, validation, validationContext, message } = error as Partial<FastifyError>;
  if (validation !== undefined) {
    const errors = validation.map(({ instancePath, message: what = 'does not fit', params }) => {
      const extra = params['additionalProperty'];
      return {
        path: `/${validationContext ?? 'request'}${instancePath}`,
        message: typeof extra === 'string' ? `${what} (${extra})` : what,
      };
    });
    return new ProblemError(
      'invalid-request',
      `${errors.map(({ path, message: what }) => `${path} ${what}`).join('; ')}.`,
      {
        extras: { errors },
      },
    );
  }
  if (statusCode === 429) return new ProblemError('rate-limited', message);
  const known = code === undefined ? undefined : byCode[code];
  if (known !== undefined) return new ProblemError(known);
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new ProblemError('bad-request', message);
  return new ProblemError('internal', 'The log of the daemon says more.');
}
