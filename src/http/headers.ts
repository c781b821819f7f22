import type { ServerResponse } from 'node:http';
import { type ProblemError, problemType } from './problem.ts';

/** On every answer; the page has helmet's besides, with a policy that lets its own script and style be. */
export const strictHeaders: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** Answers with a problem outside Fastify and closes the connection: the rest of the request is not read. */
export function answerRaw(response: ServerResponse, problem: ProblemError): void {
  const body = problem.body();
  response.writeHead(body.status, {
    ...strictHeaders,
    ...problem.headers,
    'content-type': problemType,
    connection: 'close',
  });
  response.end(JSON.stringify(body));
}

/** The same where node could not even parse a request: the answer as bytes. */
export function rawAnswer(problem: ProblemError): string {
  const body = problem.body();
  const text = JSON.stringify(body);
  const headers = {
    ...strictHeaders,
    'content-type': problemType,
    'content-length': text.length,
    connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${body.status} ${body.title}`, ...lines, '', text].join('\r\n');
}
