import type { WatchedPort } from '../model.ts';
import type { Config } from './config.ts';

/** Who orphand runs as and in which environment, as far as default paths depend on it. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  /** Effective uid; 0 is root. */
  uid: number;
}

/** The surroundings of this process. */
export function surroundings(): Surroundings {
  return { env: process.env, uid: process.geteuid?.() ?? 0 };
}

/** The reference stack's ports (docs/reference: "AI Stack Ports Reference"), all TCP. */
export const defaultPorts: readonly WatchedPort[] = [
  { port: 8091, protocol: 'tcp', service: 'aidb-http' },
  { port: 8791, protocol: 'tcp', service: 'aidb-websocket' },
  { port: 8092, protocol: 'tcp', service: 'hybrid-coordinator' },
  { port: 8094, protocol: 'tcp', service: 'nixos-docs' },
  { port: 3001, protocol: 'tcp', service: 'open-webui' },
  { port: 8098, protocol: 'tcp', service: 'ralph-wiggum' },
  { port: 6333, protocol: 'tcp', service: 'qdrant' },
  { port: 8080, protocol: 'tcp', service: 'llama-cpp' },
  { port: 5432, protocol: 'tcp', service: 'postgres' },
  { port: 6379, protocol: 'tcp', service: 'redis' },
  { port: 47334, protocol: 'tcp', service: 'mindsdb' },
];

/** The reference's process patterns, with the dots of file and module names taken literally. */
export const defaultPatterns: readonly string[] = [
  'server\\.py --config',
  'start_with_discovery\\.sh',
  'start_with_learning\\.sh',
  'tool_discovery_daemon\\.py',
  'continuous_learning_daemon\\.py',
  'self_healing_daemon\\.py',
  'uvicorn.*open_webui\\.main:app.*3001',
  'ralph.*server\\.py',
];

/**
 * Where journal and lock are: systemd's STATE_DIRECTORY where the unit sets one (systemd.exec(5)), /var/lib/orphand
 * for root, $XDG_STATE_HOME/orphand for anyone else.
 */
export function defaultStateDirectory({ env, uid }: Surroundings): string {
  const fromSystemd = env['STATE_DIRECTORY']?.split(':')[0];
  if (fromSystemd !== undefined && fromSystemd.startsWith('/')) return fromSystemd;
  if (uid === 0) return '/var/lib/orphand';
  const state = env['XDG_STATE_HOME'];
  // A relative path is invalid and to be ignored (XDG Base Directory Specification).
  if (state?.startsWith('/') === true) return `${state}/orphand`;
  const home = env['HOME'];
  return home?.startsWith('/') === true ? `${home}/.local/state/orphand` : '/var/lib/orphand';
}

/** The configuration of a host without a file: the reference stack, and a daemon that only reports. Loads nothing. */
export function defaultConfig(around: Surroundings = surroundings()): Config {
  return {
    ports: defaultPorts.map((port) => ({ ...port })),
    patterns: [...defaultPatterns],
    containers: { names: ['local-ai-*'], labels: [], projects: [] },
    protocols: ['tcp'],
    gracePeriodMs: 5_000,
    maxTargets: 64,
    runtimeTimeoutMs: 3_000,
    stateDirectory: defaultStateDirectory(around),
    clean: { clean: 'orphans', confirmAfterMs: 2_000 },
    // 12 s outlasts the 10 s that podman and docker give a container to stop.
    sweep: { schedule: '*/15 * * * * *', clean: 'off', confirmAfterMs: 12_000, fullScanEvery: 20 },
    boot: { clean: 'orphans', confirmAfterMs: 2_000, timeoutMs: 60_000 },
    stop: { clean: 'suspects', confirmAfterMs: 2_000 },
    preflight: { clean: 'orphans', confirmAfterMs: 2_000, waitMs: 0 },
    http: {
      listen: '127.0.0.1:9713',
      socket: '/run/orphand/orphand.sock',
      socketGroup: 'orphand',
      tokenFile: '',
      allowRemote: false,
    },
    log: { level: 'info' },
  };
}
