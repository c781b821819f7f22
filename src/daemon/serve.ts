import { isatty } from 'node:tty';
import type { Loaded } from '../config/load.ts';
import { ListenError } from '../http/listen.ts';
import { banner } from './banner.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import { openLog } from './log.ts';

export interface ServeOptions {
  load: () => Promise<Loaded>;
  env: Readonly<Record<string, string | undefined>>;
  version: string;
  /** Whether a person looks on: then it is told where to look. */
  say: ((line: string) => void) | undefined;
  fail: (line: string) => void;
}

/** Runs the daemon until SIGTERM or SIGINT and answers the exit code: 0, or 1 when its sockets can't be had. Throws ConfigError. */
export async function serve({ load, env, version, say, fail }: ServeOptions): Promise<number> {
  // Any handler will do: without one, node answers this signal by opening its inspector on a TCP port.
  process.on('SIGUSR1', () => undefined);
  const onTerminal = isatty(1);
  let daemon: Daemon | undefined;
  const stopped = new Promise<void>((resolve) => {
    // Further ones change nothing: what is under way ends within seconds.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        resolve();
      });
    }
    process.on('SIGHUP', () => {
      // The terminal was closed: who started it has gone, and a daemon that outlives that would be what it looks for.
      if (onTerminal && !isatty(1)) resolve();
      else void daemon?.reload();
    });
  });

  const loaded = await load();
  const log = await openLog(loaded.config.log.level, env);
  try {
    daemon = await startDaemon({ loaded, load, env, version, log });
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    fail(error.message);
    return 1;
  }
  for (const line of say === undefined ? [] : banner(loaded, daemon, version)) say?.(line);
  await stopped;
  await daemon.stop();
  return 0;
}
