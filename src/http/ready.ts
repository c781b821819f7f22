/** Answers that many readers get: put together once, sent as they are. */
import type { FastifyReply } from 'fastify';
import { strictHeaders } from './headers.ts';

/** A whole answer with status 200. */
export interface Ready {
  readonly headers: string[];
  readonly body: Buffer;
}

/** Puts an answer together. */
export function ready(type: string, text: string): Ready {
  const body = Buffer.from(text);
  const headers = { ...strictHeaders, 'content-type': type, 'content-length': String(body.length) };
  return { headers: Object.entries(headers).flat(), body };
}

/** Sends it past Fastify, which would put the same headers together for each request. Hooks that come after it don't run. */
export function sendReady(reply: FastifyReply, { headers, body }: Ready): void {
  reply.hijack();
  reply.raw.writeHead(200, headers).end(body);
}
