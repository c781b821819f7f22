import type { Status } from '../http/engine.ts';
import type { Report } from '../model.ts';
import { exitCodeOf } from './attention.ts';
import type { Context } from './command.ts';
import { daemonClient, DaemonSilentError, type AskDaemon } from './daemon-client.ts';
import { escape, jsonText } from './escape.ts';
import { statusText } from './status-text.ts';

/** `orphand status`: asks the running daemon, prints it at one glance; exit code as `scan`, and 1 where none runs. */
export async function run({ load, env, options, terminal }: Context): Promise<number> {
  const { config } = await load();
  const ask = daemonClient(config, env);
  try {
    const status = await statusFrom(ask);
    const report = await reportFrom(ask);
    terminal.out(
      options['json'] === true ? jsonText(status) : statusText(status, report, Date.now(), terminal),
    );
    return report !== undefined && status.healthy ? exitCodeOf(report) : 1;
  } catch (error) {
    if (!(error instanceof DaemonSilentError)) throw error;
    terminal.err(`orphand: ${escape(error.message)}`);
    return 1;
  }
}

async function statusFrom(ask: AskDaemon): Promise<Status> {
  const { status, body } = await ask('/api/v1/status');
  if (status === 200 && isStatus(body)) return body;
  throw new DaemonSilentError(`what answers is not this version of orphand (HTTP status ${status})`);
}

/** undefined before the first sweep. */
async function reportFrom(ask: AskDaemon): Promise<Report | undefined> {
  const { status, body } = await ask('/api/v1/scan');
  return status === 200 ? (body as Report) : undefined;
}

/** A daemon of our own, or of a version that has what is printed here. */
function isStatus(body: unknown): body is Status {
  const status = body as Partial<Status> | null;
  return typeof status?.healthy === 'boolean' && Array.isArray(status.limits) && status.ports !== undefined;
}
