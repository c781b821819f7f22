import { escape } from '../cli/escape.ts';
import { count } from '../cli/words.ts';
import type { Loaded } from '../config/load.ts';
import type { Daemon } from './daemon.ts';

/** What a person who started the daemon on a terminal is told: what it does, and where to look. */
export function banner(
  { config, source }: Loaded,
  { bounds, warnings }: Pick<Daemon, 'bounds' | 'warnings'>,
  version: string,
): string[] {
  const { sweep, ports } = config;
  const does =
    sweep.clean === 'off'
      ? 'reports, ends nothing'
      : `ends ${sweep.clean === 'orphans' ? 'orphans' : 'orphans and suspects'}`;
  const tcp = bounds.find(({ via }) => via === 'tcp');
  const unix = bounds.find(({ via }) => via === 'unix');
  return [
    '',
    `orphand ${version}: watches ${count(ports.length, 'port')}, sweeps at "${sweep.schedule}", ${does} (sweep.clean: ${sweep.clean})`,
    `  Configuration  ${source === undefined ? 'none, the defaults hold' : escape(source)}`,
    ...(tcp === undefined
      ? []
      : [
          `  Status page    http://${tcp.address}/`,
          `  API            http://${tcp.address}/docs`,
          `  Metrics        http://${tcp.address}/metrics`,
        ]),
    ...(unix === undefined ? [] : [`  Control        ${escape(unix.address)} (orphand status)`]),
    ...warnings.map((warning) => `  Note           ${escape(warning)}`),
    '  Stop           Ctrl-C',
    '',
  ];
}
