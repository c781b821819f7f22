import { errorCode } from '../record-file.ts';
import { parseInspection, parseJson, type Inspection } from './inspection.ts';

/** What an engine's REST socket says of a container. */
export type SocketAnswer =
  { result: 'known'; inspection: Inspection } | { result: 'absent' } | { result: 'silent'; reason: string };

// `inspect` of a container with 2000 variables is 300 KiB.
const LIMIT = 8 * 1024 * 1024;

/** Asks docker's API (podman's has the same path) for one container; never rejects. 404 is the only answer that means absent. */
export async function inspectOverSocket(
  socketPath: string,
  id: string,
  timeoutMs: number,
): Promise<SocketAnswer> {
  // Node 20 cuts a longer path short (sun_path, unix(7)) and would ask whoever listens there.
  if (Buffer.byteLength(socketPath) > 107) return { result: 'silent', reason: 'ENAMETOOLONG' };
  // Loaded here because most scans ask nobody: it takes 3 ms of their start.
  const { request } = await import('node:http');
  return new Promise((resolve) => {
    const silent = (reason: string): void => {
      resolve({ result: 'silent', reason });
    };
    const call = request(
      { socketPath, path: `/containers/${encodeURIComponent(id)}/json`, headers: { host: 'localhost' } },
      (response) => {
        const parts: Buffer[] = [];
        let size = 0;
        response.on('data', (part: Buffer) => {
          parts.push(part);
          size += part.length;
          if (size > LIMIT) call.destroy();
        });
        response.on('error', (error) => {
          silent(errorCode(error));
        });
        response.on('close', () => {
          silent('the answer was cut off');
        });
        response.on('end', () => {
          const body = parseJson(Buffer.concat(parts).toString('utf8'));
          if (response.statusCode === 404 && isNotFound(body)) {
            resolve({ result: 'absent' });
            return;
          }
          const inspection = response.statusCode === 200 ? parseInspection(body) : undefined;
          if (inspection === undefined) silent(`HTTP ${response.statusCode ?? 0}`);
          else resolve({ result: 'known', inspection });
        });
      },
    );
    call.on('error', (error) => {
      silent(errorCode(error));
    });
    // From the first to the last byte: a socket timeout alone never ends with a server that drips.
    const timer = setTimeout(() => {
      silent(`no answer within ${timeoutMs} ms`);
      call.destroy();
    }, timeoutMs);
    call.on('close', () => {
      clearTimeout(timer);
    });
    call.end();
  });
}

/** The engine's own 404 has a message; one from something else on that socket (a proxy, a web server) proves nothing. */
function isNotFound(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'message' in body;
}
