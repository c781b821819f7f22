import type { Protocol, WatchedPort } from '../model.ts';

/** What a trigger may end: nothing, proven orphans, or suspects too. */
export type CleanMode = 'off' | 'orphans' | 'suspects';

/** The levels of pino, least first. */
export type LogLevel = 'silent' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

/** What every trigger has: what it may end, and how long after the first look the second one comes. */
export interface CleanSettings {
  clean: CleanMode;
  confirmAfterMs: number;
}

/** The effective configuration: every key has a value, durations are milliseconds. */
export interface Config {
  ports: WatchedPort[];
  /** Sources of regular expressions, matched on the command line; each one compiles. */
  patterns: string[];
  /** Which containers are the stack's: shell globs on names, `key` or `key=value` labels, compose projects. */
  containers: { names: string[]; labels: string[]; projects: string[] };
  /** Which protocols the ports are watched on, unless a port names its own. */
  protocols: Protocol[];
  /** Between SIGTERM and SIGKILL. */
  gracePeriodMs: number;
  /** A plan with more targets than this is refused without --force. */
  maxTargets: number;
  /** How long one runtime may take to answer. */
  runtimeTimeoutMs: number;
  /** Journal and lock. */
  stateDirectory: string;
  clean: CleanSettings;
  sweep: CleanSettings & {
    /** Cron expression with seconds, or without them. */
    schedule: string;
    /** A sweep that trusts nothing from before, after this many that did. */
    fullScanEvery: number;
  };
  boot: CleanSettings & { timeoutMs: number };
  stop: CleanSettings;
  preflight: CleanSettings & { waitMs: number };
  http: {
    /** `host:port`; empty: no TCP. */
    listen: string;
    /** Unix socket; empty: none. */
    socket: string;
    /** Group that may control orphand through the unix socket. */
    socketGroup: string;
    /** File with the bearer token for control over TCP; empty: TCP only reads. */
    tokenFile: string;
    /** Whether `listen` may be an address other than loopback. */
    allowRemote: boolean;
  };
  log: { level: LogLevel };
}
