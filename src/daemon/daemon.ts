import { socketPaths } from '../cli/socket-paths.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/error.ts';
import type { Loaded } from '../config/load.ts';
import type { Access } from '../http/access.ts';
import { buildHttp, type HttpSide } from '../http/app.ts';
import type { Limit } from '../http/engine.ts';
import type { Bound } from '../http/listen.ts';
import { type BearerToken, openTokenFile, TokenFileError } from '../http/token.ts';
import { wantedSockets } from './endpoints.ts';
import { DaemonEngine } from './engine.ts';
import { reportInterrupted } from './interrupted.ts';
import type { Log } from './log.ts';
import { passedSockets } from './passed-sockets.ts';
import { openSockets, refuseRemote } from './open-sockets.ts';
import { statusLine } from './status-line.ts';
import { createSupervision, type Supervision } from './supervision.ts';

export interface DaemonOptions {
  loaded: Loaded;
  /** Reads the configuration again. Throws ConfigError. */
  load: () => Promise<Loaded>;
  env: Readonly<Record<string, string | undefined>>;
  version: string;
  log: Log;
}

// Together with what closing the sockets takes, below the 5 s in which the daemon is to be gone.
const CLEANUP_GRACE_MS = 2_500;
const HTTP_GRACE_MS = 3_500;

/** A daemon that serves. */
export interface Daemon {
  bounds: Bound[];
  warnings: string[];
  /** Reads the configuration again; a bad one changes nothing and is told of. Never rejects. */
  reload(): Promise<void>;
  /** Stops within 5 s, with every clean-up's outcome in the journal. */
  stop(): Promise<void>;
}

/** Puts the daemon together and starts it: sockets, first sweep, watchdog. Throws ConfigError and ListenError. */
export async function startDaemon({ loaded, load, env, version, log }: DaemonOptions): Promise<Daemon> {
  const { config, source } = loaded;
  const token = tokenOf(config);
  if (config.http.listen !== '')
    refuseRemote(config.http.listen, config.http.allowRemote, token !== undefined);
  const engine = new DaemonEngine({ config, version, log });
  const access: Access = { group: config.http.socketGroup, token };
  const http = await buildHttp({ engine, access, version, log, allowRemote: config.http.allowRemote });
  try {
    const wanted = wantedSockets(config, socketPaths(config, env), passedSockets(env, process.pid));
    const { bounds, warnings } = await openSockets((endpoint) => http.listen(endpoint), wanted);
    for (const { via, address } of bounds) {
      if (via === 'tcp') refuseRemote(address, config.http.allowRemote, token !== undefined);
    }
    for (const warning of warnings) log.warn({ warning }, 'socket is not as configured');
    engine.note(
      'sockets',
      warnings.map((message) => ({ code: 'socket', message, cure: null })),
    );
    engine.note('interrupted', reportInterrupted(config.stateDirectory, { root: '/proc' }, log));
    return begin({ engine, http, access, config, source, load, log, env, version, bounds, warnings });
  } catch (error) {
    await Promise.all([engine.stop(0), http.close(0)]);
    throw error;
  }
}

interface Parts extends Pick<DaemonOptions, 'load' | 'log' | 'env' | 'version'> {
  engine: DaemonEngine;
  http: HttpSide;
  access: Access;
  config: Config;
  source: string | undefined;
  bounds: Bound[];
  warnings: string[];
}

function begin(parts: Parts): Daemon {
  const { engine, http, log, env, version, bounds, warnings, source, config } = parts;
  const supervision = createSupervision({
    env,
    pid: process.pid,
    inTime: () => engine.inTime(),
    onStarved: (why) => {
      log.error({ why }, 'watchdog not fed');
    },
  });
  let announced = false;
  // The first sweep may fail and a later one succeed: the daemon is ready with that one.
  engine.subscribe((event) => {
    if (event.type !== 'sweep' || event.report === undefined) return;
    if (announced) supervision.status(statusLine(event.report));
    else supervision.ready(statusLine(event.report));
    announced = true;
  });
  const { sweep } = config;
  const sockets = bounds.map(({ address }) => address);
  log.info(
    { version, source: source ?? 'defaults', clean: sweep.clean, schedule: sweep.schedule, sockets },
    'orphand started',
  );
  // Not waited for: a look that hangs must not keep the daemon from being stopped. What fails is in the log.
  engine.start().catch(() => undefined);

  let reloading = Promise.resolve();
  return {
    bounds,
    warnings,
    reload() {
      reloading = reloading.then(async () => {
        supervision.reloading();
        await reload(parts);
        readyAgain(supervision, engine);
      });
      return reloading;
    },
    async stop() {
      log.info('orphand stopping');
      supervision.stopping();
      await Promise.all([engine.stop(CLEANUP_GRACE_MS), http.close(HTTP_GRACE_MS)]);
      log.info('orphand stopped');
    },
  };
}

async function reload({ engine, access, config: started, load, log }: Parts): Promise<void> {
  try {
    const { config, source } = await load();
    const token = tokenOf(config);
    engine.reload(config);
    log.level = config.log.level;
    Object.assign(access, { group: config.http.socketGroup, token } satisfies Access);
    const limits = restartNeeded(started, config);
    engine.note('reload', limits);
    log.info(
      { source: source ?? 'defaults', clean: config.sweep.clean, restart: limits.length > 0 },
      'configuration reloaded',
    );
  } catch (error) {
    const problems =
      error instanceof ConfigError
        ? error.problems
        : [error instanceof Error ? error.message : String(error)];
    log.error({ problems }, 'configuration not reloaded, the old one stays');
    engine.note('reload', [
      {
        code: 'reload-failed',
        message: `The configuration was not reloaded: ${problems[0] ?? ''}. The old one is in effect.`,
        cure: 'orphand config check, then reload again.',
      },
    ]);
  }
}

/** Sockets stay as they were opened. */
function restartNeeded({ http: before }: Config, { http: after }: Config): Limit[] {
  const keys = (['listen', 'socket', 'allowRemote'] as const).filter((key) => before[key] !== after[key]);
  if (keys.length === 0) return [];
  const names = keys.map((key) => `http.${key}`).join(', ');
  return [
    {
      code: 'restart-needed',
      message: `${names} changed; sockets are opened at the start.`,
      cure: 'Restart orphand.',
    },
  ];
}

function readyAgain(supervision: Supervision, engine: DaemonEngine): void {
  const last = engine.lastReport();
  supervision.ready(last === undefined ? 'no sweep has finished yet' : statusLine(last.report));
}

/** The token, where the configuration has one. Throws ConfigError. */
function tokenOf({ http }: Config): BearerToken | undefined {
  if (http.tokenFile === '') return undefined;
  try {
    return openTokenFile(http.tokenFile);
  } catch (error) {
    if (error instanceof TokenFileError) throw new ConfigError([`http.tokenFile: ${error.message}`]);
    throw error;
  }
}
