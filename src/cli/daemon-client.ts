import { request } from 'node:http';
import type { Config } from '../config/config.ts';
import { socketPaths } from './socket-paths.ts';

/** An answer of the daemon. */
export interface DaemonAnswer {
  status: number;
  body: unknown;
}

/** Gets one path of the daemon's API. Throws DaemonSilentError. */
export type AskDaemon = (path: string) => Promise<DaemonAnswer>;

/** No daemon answers; the message is one line that says where was asked. */
export class DaemonSilentError extends Error {
  override readonly name = 'DaemonSilentError';
}

interface Place {
  name: string;
  connect: { socketPath: string } | { host: string; port: number };
  host: string;
}

const TIMEOUT_MS = 5_000;
// Larger than any report: what is at the other end may not be orphand at all.
const MOST_BYTES = 64 * 1024 * 1024;

/** Looks for the daemon on the unix socket, then on TCP, and stays with the one that answers. */
export function daemonClient(
  config: Pick<Config, 'http'>,
  env: Readonly<Record<string, string | undefined>>,
): AskDaemon {
  let places = placesOf(config, env);
  return async (path) => {
    const failures: string[] = [];
    for (const place of places) {
      try {
        const answer = await get(place, path);
        places = [place];
        return answer;
      } catch (error) {
        failures.push(`${place.name}: ${error instanceof Error ? wordsFor(error) : String(error)}`);
      }
    }
    const where = failures.length === 0 ? 'http.socket and http.listen are empty' : failures.join('; ');
    throw new DaemonSilentError(`no daemon answers (${where})`);
  };
}

function placesOf(
  { http }: Pick<Config, 'http'>,
  env: Readonly<Record<string, string | undefined>>,
): Place[] {
  const unix = socketPaths({ http }, env).map((socketPath): Place => ({
    name: socketPath,
    connect: { socketPath },
    host: 'orphand',
  }));
  if (http.listen === '') return unix;
  const at = http.listen.lastIndexOf(':');
  const bare = http.listen.slice(0, at).replace(/^\[|\]$/g, '');
  const host = bare === '0.0.0.0' ? '127.0.0.1' : bare === '::' ? '::1' : bare;
  const port = Number(http.listen.slice(at + 1));
  const name = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return [...unix, { name, connect: { host, port }, host: name }];
}

function get({ connect, host }: Place, path: string): Promise<DaemonAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(
      { ...connect, path, headers: { host }, timeout: TIMEOUT_MS, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MOST_BYTES) call.destroy(new Error('its answer is too long'));
          else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          try {
            const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
            resolve({ status: response.statusCode ?? 0, body });
          } catch {
            reject(new Error('what answers is not orphand'));
          }
        });
      },
    );
    call.on('timeout', () => {
      call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`));
    });
    call.on('error', reject);
    call.end();
  });
}

function wordsFor(error: Error): string {
  switch ('code' in error ? error.code : undefined) {
    case 'ENOENT':
      return 'no such socket';
    case 'ECONNREFUSED':
      return 'nobody listens';
    case 'EACCES':
      return 'not allowed';
    default:
      return error.message;
  }
}
