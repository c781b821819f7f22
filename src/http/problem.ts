/** Every error that a client can see, as RFC 9457 problem details with a stable `code`. */

/** code → status and title. Clients match the code; titles may change. */
export const problems = {
  'bad-request': [400, 'The request could not be read'],
  'bad-url': [400, 'The address could not be read'],
  'invalid-request': [400, 'The request does not fit its schema'],
  'token-required': [401, 'Control over TCP needs the bearer token'],
  'token-invalid': [401, 'The bearer token is not the right one'],
  'peer-not-allowed': [403, 'This user may not control orphand'],
  'cross-origin': [403, 'Requests from other sites are refused'],
  'not-found': [404, 'There is nothing at this address'],
  'port-not-watched': [404, 'This port is not watched'],
  'process-not-found': [404, 'This process is not in the report'],
  'cleanup-not-found': [404, 'There is no such clean-up'],
  'cleanup-report-not-kept': [404, 'The report of this clean-up was not kept'],
  'method-not-allowed': [405, 'This address does not take this method'],
  'request-timeout': [408, 'The request took too long to arrive'],
  'cleanup-running': [409, 'A clean-up runs already'],
  'cleanup-locked': [409, 'Another orphand is cleaning up'],
  'body-too-large': [413, 'The body is too large'],
  'url-too-long': [414, 'The address is too long'],
  'unsupported-media-type': [415, 'The body must be application/json'],
  'wrong-host': [421, 'This is not the host that was asked for'],
  'rate-limited': [429, 'Too many requests'],
  'headers-too-large': [431, 'The headers are too large'],
  internal: [500, 'orphand failed'],
  'scan-failed': [500, 'The scan failed'],
  'cleanup-failed': [500, 'The clean-up failed'],
  'no-report': [503, 'There is no report yet'],
  unhealthy: [503, 'No sweep has finished for too long'],
  'not-ready': [503, 'The first sweep has not finished'],
  stopping: [503, 'orphand is stopping'],
  'too-many-streams': [503, 'Too many event streams are open'],
} as const satisfies Record<string, readonly [number, string]>;

/** A stable name of what went wrong. */
export type ProblemCode = keyof typeof problems;

/** What a problem may carry besides the members of RFC 9457. */
export interface ProblemExtras {
  /** What did not fit, for `invalid-request`. */
  errors?: { path: string; message: string }[];
  /** The clean-up in the way, for `cleanup-running`. */
  runningId?: string;
}

/** The body of every error answer (`application/problem+json`). */
export interface Problem extends ProblemExtras {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ProblemCode;
}

/** Where every error answer says what it is. */
export const problemType = 'application/problem+json';

/** The body for a code; `detail` is one sentence for the person who reads it. */
export function problemBody(code: ProblemCode, detail?: string, extras: ProblemExtras = {}): Problem {
  const [status, title] = problems[code];
  return {
    type: `urn:problem-type:orphand:${code}`,
    title,
    status,
    detail: detail ?? `${title}.`,
    code,
    ...extras,
  };
}

/** Thrown by a route or a hook to answer with a problem. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly extras: ProblemExtras;
  /** Sent along, such as `retry-after`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail?: string,
    { extras = {}, headers = {} }: { extras?: ProblemExtras; headers?: Record<string, string> } = {},
  ) {
    super(detail ?? `${problems[code][1]}.`);
    this.name = 'ProblemError';
    this.code = code;
    this.extras = extras;
    this.headers = headers;
  }

  /** What the client gets. */
  body(): Problem {
    return problemBody(this.code, this.message, this.extras);
  }
}
