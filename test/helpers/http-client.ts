import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { buildHttp, type HttpOptions, type HttpSide } from '../../src/http/app.ts';
import { type BearerToken, bearerToken } from '../../src/http/token.ts';
import { type FakeEngine, fakeEngine } from './fake-engine.ts';
import { mixedReport } from './sample-report.ts';

/** The text of the token that `serve` configures. */
export const goodToken = 'A'.repeat(43);

/** An answer. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  json: Record<string, unknown>;
}

/** What to ask, and where: a port of 127.0.0.1 or a unix socket. */
export interface Ask {
  to: number | string;
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string;
}

/** One request over a real socket. The Host is the right one unless `headers` has another. */
export function ask({ to, method = 'GET', path = '/healthz', headers = {}, body }: Ask): Promise<Answer> {
  const place = typeof to === 'number' ? { host: '127.0.0.1', port: to } : { socketPath: to };
  const host = typeof to === 'number' ? `127.0.0.1:${to}` : 'localhost';
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { ...place, method, path, agent: false, headers: { host, ...headers } },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          const type = String(response.headers['content-type']);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: text,
            json: type.includes('json') && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {},
          });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** Sends bytes as they are and answers everything that comes back until the connection ends. */
export function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(text));
    socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') resolve(received);
      else reject(error);
    });
    socket.on('close', () => {
      resolve(received);
    });
  });
}

/** A running HTTP side. */
export interface Served {
  side: HttpSide;
  engine: FakeEngine;
  port: number;
  socket: string;
  token: BearerToken;
}

/** The HTTP side with a fake engine on a random port and a unix socket, closed when the test ends. */
export async function serve(
  t: Test,
  options: Partial<HttpOptions> & { engine?: FakeEngine } = {},
): Promise<Served> {
  const directory = mkdtempSync(join(tmpdir(), 'orphand-http-'));
  const engine = options.engine ?? fakeEngine(mixedReport());
  const token = bearerToken(goodToken);
  const side = await buildHttp({ access: { group: '', token }, version: '0.1.0', ...options, engine });
  t.teardown(async () => {
    await side.close(0);
    rmSync(directory, { recursive: true, force: true });
  });
  const socket = join(directory, 'orphand.sock');
  const tcp = await side.listen({ host: '127.0.0.1', port: 0 });
  await side.listen({ path: socket, group: '' });
  return { side, engine, port: tcp.port ?? 0, socket, token };
}
