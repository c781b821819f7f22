import { isatty } from 'node:tty';
import { type DestinationStream, type Logger, destination, pino, symbols } from 'pino';
import { escape } from '../cli/escape.ts';
import type { LogLevel } from '../config/config.ts';
import type { ProcessIdentity, ReportedProcess } from '../model.ts';
import { goesToJournal, prefixOf } from './priority.ts';

export type Log = Logger;

/** Standard output: JSON lines; readable ones on a terminal; JSON behind a priority where the journal reads it. */
export async function openLog(
  level: LogLevel,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Log> {
  const fd = 1;
  if (isatty(fd)) {
    const { default: pretty } = await import('pino-pretty');
    const colorize = (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
    return createLog(
      level,
      pretty({ sync: true, colorize, translateTime: 'SYS:HH:MM:ss', singleLine: true }),
    );
  }
  // Synchronous: what a daemon says before it is killed is what its journal is read for.
  const stdout = destination({ dest: fd, sync: true });
  return createLog(level, goesToJournal(env, fd) ? withPriority(stdout) : stdout);
}

/** A log without pid and host name: both are on every line of the journal, and `pid` is what orphand's lines are about. */
export function createLog(level: LogLevel, stream: DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
}

/** Puts `<4>` and the like in front of each line. */
export function withPriority(stream: DestinationStream): DestinationStream {
  return {
    // pino then sets lastLevel before each write.
    [symbols.needsMetadataGsym]: true,
    lastLevel: 30,
    write(line: string) {
      stream.write(prefixOf(this.lastLevel) + line);
    },
  } as DestinationStream & { lastLevel: number };
}

/** A process as a field of a log line, named `target`: pino binds its own `pid`. Safe to print. */
export function targetFields(
  target: Pick<ReportedProcess, 'comm' | 'verdict' | 'reason' | 'ports'> & { identity: ProcessIdentity },
) {
  const { identity, comm, verdict, reason, ports } = target;
  return { pid: identity.pid, startTime: identity.startTime, comm: escape(comm), verdict, reason, ports };
}
