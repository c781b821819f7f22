import type { Config } from '../config/config.ts';
import { Runtimes } from '../container/runtimes/runtimes.ts';
import type { Report, WatchedPort } from '../model.ts';
import type { ProcFs } from '../procfs/fs.ts';
import { compilePattern } from '../scan/patterns.ts';
import type { ScanMemory } from '../scan/scan-memory.ts';
import { scan } from '../scan/scan.ts';
import { userNames } from '../scan/user-names.ts';
import { reportOf } from './report.ts';

export interface LookerOptions {
  config: Config;
  /** Whether the runtimes' command lines may be asked: on the command line, as root or as the owning user. */
  cli: boolean;
  proc?: ProcFs;
  /** Where stores, units and passwd are, for tests on built trees. */
  hostRoot?: string;
  /** What looks know from each other; without it each reads everything. */
  memory?: ScanMemory;
  /** How long the event loop may be kept at a time, ms. */
  sliceMs?: number;
}

export interface LookScope {
  /** Look at these ports instead of the configured ones. */
  ports?: readonly number[];
  /** Read everything, whatever the looks before know. */
  whole?: boolean;
}

/** Looks once at the host and judges what it sees. */
export type Look = (scope?: LookScope) => Promise<Report>;

/** Makes the function that every front-end looks with; each look asks the runtimes anew. */
export function createLooker(options: LookerOptions): Look {
  const { config, cli, proc = { root: '/proc' }, hostRoot = '/', memory, sliceMs } = options;
  const patterns = new Map(config.patterns.map((pattern) => [pattern, compilePattern(pattern)]));
  return async (scope = {}) =>
    reportOf(
      await scan({
        proc,
        hostRoot,
        ports: scope.ports === undefined ? config.ports : portsOf(scope.ports, config),
        patterns,
        containers: config.containers,
        runtimes: new Runtimes({ proc, hostRoot, timeoutMs: config.runtimeTimeoutMs, cli }),
        userName: userNames(hostRoot),
        self: process.pid,
        memory,
        whole: scope.whole,
        sliceMs,
      }),
    );
}

function portsOf(numbers: readonly number[], config: Config): WatchedPort[] {
  return numbers.flatMap((port) => {
    const known = config.ports.filter((each) => each.port === port);
    return known.length > 0
      ? known
      : config.protocols.map((protocol) => ({ port, protocol, service: `port-${port}` }));
  });
}
