import type { Protocol, WatchedPort } from '../model.ts';
import type { Config } from './config.ts';
import { parseDuration } from './duration.ts';
import type { ConfigFile } from './schema.ts';

/**
 * Lays a checked file over a configuration: what the file says wins, lists are replaced whole. The file must have passed
 * the checks; a bad duration here is a defect.
 */
export function resolve(file: ConfigFile, base: Config): Config {
  const protocols = file.protocols ?? base.protocols;
  return {
    ports:
      file.ports === undefined ? reprotocol(base, protocols) : watched(file.ports, protocols, base.ports),
    patterns: file.patterns ?? base.patterns,
    containers: { ...base.containers, ...file.containers },
    protocols,
    gracePeriodMs: ms(file.gracePeriod) ?? base.gracePeriodMs,
    maxTargets: file.maxTargets ?? base.maxTargets,
    runtimeTimeoutMs: ms(file.runtimeTimeout) ?? base.runtimeTimeoutMs,
    stateDirectory: file.stateDirectory ?? base.stateDirectory,
    clean: cleaning(file.clean, base.clean),
    sweep: {
      ...cleaning(file.sweep, base.sweep),
      schedule: file.sweep?.schedule ?? base.sweep.schedule,
      fullScanEvery: file.sweep?.fullScanEvery ?? base.sweep.fullScanEvery,
    },
    boot: { ...cleaning(file.boot, base.boot), timeoutMs: ms(file.boot?.timeout) ?? base.boot.timeoutMs },
    stop: cleaning(file.stop, base.stop),
    preflight: {
      ...cleaning(file.preflight, base.preflight),
      waitMs: ms(file.preflight?.wait) ?? base.preflight.waitMs,
    },
    http: { ...base.http, ...file.http },
    log: { ...base.log, ...file.log },
  };
}

function ms(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = parseDuration(text);
  if (value === undefined) throw new TypeError(`unchecked duration ${text}`);
  return value;
}

function cleaning(section: ConfigFile['clean'], base: Config['clean']): Config['clean'] {
  return {
    clean: section?.clean ?? base.clean,
    confirmAfterMs: ms(section?.confirmAfter) ?? base.confirmAfterMs,
  };
}

/** One entry per port and protocol; a bare number keeps the name that the port is known by. */
function watched(
  entries: NonNullable<ConfigFile['ports']>,
  protocols: readonly Protocol[],
  known: readonly WatchedPort[],
): WatchedPort[] {
  return entries.flatMap((entry) => {
    const { port, service, protocol } =
      typeof entry === 'number' ? { port: entry, service: undefined, protocol: undefined } : entry;
    const name = service ?? known.find((other) => other.port === port)?.service ?? `port-${port}`;
    return (protocol === undefined ? protocols : [protocol]).map((one) => ({
      port,
      protocol: one,
      service: name,
    }));
  });
}

function reprotocol(base: Config, protocols: readonly Protocol[]): WatchedPort[] {
  if (protocols === base.protocols) return base.ports;
  const ports = new Map(base.ports.map(({ port, service }) => [port, service]));
  return watched(
    [...ports].map(([port, service]) => ({ port, service })),
    protocols,
    base.ports,
  );
}
