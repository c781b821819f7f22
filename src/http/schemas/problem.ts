import Type from 'typebox';
import { type Problem, type ProblemCode, problemBody, problems, problemType } from '../problem.ts';
import { Shape, Named, OneOf, Ref } from './named.ts';

/** RFC 9457 problem details. */
export const ProblemSchema = Named(
  'Problem',
  'What went wrong (RFC 9457). Match `code`; the texts may change.',
  {
    type: Type.String({ description: '`urn:problem-type:orphand:CODE`' }),
    title: Type.String({ description: 'The kind of problem in words.' }),
    status: Type.Integer({ description: 'The HTTP status again.' }),
    detail: Type.String({ description: 'This occurrence in one sentence.' }),
    code: OneOf(Object.keys(problems) as ProblemCode[], 'Stable name of the problem.'),
    errors: Type.Optional(
      Type.Array(Shape({ path: Type.String(), message: Type.String() }), {
        description: 'With `invalid-request`: what did not fit, and where.',
      }),
    ),
    runningId: Type.Optional(
      Type.String({ description: 'With `cleanup-running`: the id of the one in the way.' }),
    ),
  },
);

/** An error answer in a route's schema. */
export interface ProblemAnswer {
  description: string;
  headers?: Record<string, object>;
  content: Record<typeof problemType, { schema: object; examples: Record<string, { value: Problem }> }>;
}

// What every route can answer: checks before routing, the limits, a bug.
const everywhere: readonly ProblemCode[] = [
  'bad-url',
  'bad-request',
  'cross-origin',
  'request-timeout',
  'wrong-host',
  'rate-limited',
  'headers-too-large',
  'internal',
];

/** The error answers of a route: those that any route has, and its own. Grouped by status, an example for each code. */
export function problemAnswers(...own: ProblemCode[]): Record<number, ProblemAnswer> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of [...everywhere, ...own]) {
    const status = problems[code][0];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `${problems[code][1]} (\`${code}\`).`).join(' '),
        ...(headersOf(status) !== undefined && { headers: headersOf(status) }),
        content: {
          [problemType]: {
            schema: Ref(ProblemSchema),
            examples: Object.fromEntries(
              codes.map((code) => [code, { value: examples[code] ?? problemBody(code) }]),
            ),
          },
        },
      } as ProblemAnswer,
    ]),
  );
}

function headersOf(status: number): Record<string, object> | undefined {
  if (status === 429 || status === 503) {
    return { 'retry-after': { type: 'integer', description: 'Seconds to wait before the next try.' } };
  }
  if (status === 401) return { 'www-authenticate': { type: 'string', description: '`Bearer`' } };
  return undefined;
}

const examples: Partial<Record<ProblemCode, Problem>> = {
  'cleanup-running': problemBody('cleanup-running', 'Clean-up 01JZ8C4T runs.', { runningId: '01JZ8C4T' }),
  'invalid-request': problemBody('invalid-request', "/body must have required property 'dryRun'.", {
    errors: [{ path: '/body', message: "must have required property 'dryRun'" }],
  }),
  'port-not-watched': problemBody('port-not-watched', 'Port 22 is not watched.'),
  'method-not-allowed': problemBody('method-not-allowed', 'It takes GET, HEAD.'),
};
