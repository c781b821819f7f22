import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { ConfigFile } from '../../src/config/schema.ts';
import { type Answer, ask, type Ask } from './http-client.ts';
import { until } from './lab/wait.ts';

const bin = fileURLToPath(new URL('../../dist/bin.js', import.meta.url));

/** A line of the daemon's log. */
export type LogLine = Record<string, unknown> & { level: string; msg: string };

/** What a daemon is started with. */
export interface DaemonOptions {
  config?: ConfigFile;
  env?: Record<string, string>;
  /** A command that starts the one which is appended. */
  by?: readonly string[];
  uid?: number;
  /** Where configuration, state and socket are; a folder of the test's own by default. */
  directory?: string;
}

/** A real daemon, `orphand serve`, started by a test. */
export interface RunningDaemon {
  child: ChildProcess;
  directory: string;
  /** The unix socket that is configured. */
  socket: string;
  configFile: string;
  output: { stdout: string; stderr: string };
  /** Settles when it has ended. */
  ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
  log(): LogLine[];
  /** Waits for a log line, by its message. */
  logged(message: string, match?: (line: LogLine) => boolean): Promise<LogLine>;
  /** The TCP port that it listens on. */
  port(): number;
  /** Asks over the unix socket; `to` says where else. */
  ask(options?: Partial<Ask>): Promise<Answer>;
  /** Writes another configuration; it is read with SIGHUP. */
  configure(config: ConfigFile): void;
  signal(signal: NodeJS.Signals): void;
}

/** A configuration that watches nothing, sweeps every second, and has everything in one folder. */
export function daemonConfig(directory: string, config: ConfigFile = {}): ConfigFile {
  return {
    ports: [],
    patterns: [],
    containers: { names: [], labels: [], projects: [] },
    gracePeriod: '500ms',
    stateDirectory: join(directory, 'state'),
    ...config,
    clean: { confirmAfter: '500ms', ...config.clean },
    sweep: { schedule: '* * * * * *', clean: 'off', confirmAfter: '500ms', ...config.sweep },
    http: { listen: '127.0.0.1:0', socket: join(directory, 'orphand.sock'), socketGroup: '', ...config.http },
  };
}

/** Starts the daemon without waiting for anything; it ends with the test. */
export function launchDaemon(t: Test, options: DaemonOptions = {}): RunningDaemon {
  const { config = {}, env = {}, by = [], uid, directory = t.testdir() } = options;
  mkdirSync(directory, { recursive: true });
  const configFile = join(directory, 'config.yaml');
  const configure = (file: ConfigFile) => {
    // JSON is YAML.
    writeFileSync(configFile, JSON.stringify(daemonConfig(directory, file)));
  };
  configure(config);
  const words = [...by, process.execPath, bin, 'serve', '--config', configFile];
  const command = words.shift() ?? process.execPath;
  const child = spawn(command, words, {
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => (output[stream] += text));
  }
  let over = false;
  const ended: RunningDaemon['ended'] = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      over = true;
      resolve({ code, signal, ...output });
    });
  });
  t.teardown(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const log = () =>
    output.stdout
      .split('\n')
      .slice(0, -1)
      .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : []));
  const { socket = '' } = daemonConfig(directory, config).http ?? {};
  return {
    child,
    directory,
    socket,
    configFile,
    output,
    ended,
    log,
    logged: (message, match = () => true) =>
      until(`"${message}" in the log`, () => {
        const line = log().find((each) => each.msg === message && match(each));
        if (line === undefined && over) throw new Error(`ended: ${output.stdout}${output.stderr}`);
        return line;
      }),
    port: () => {
      const { sockets } = log().find(({ msg }) => msg === 'orphand started') as { sockets?: string[] };
      return Number(/^127\.0\.0\.1:(\d+)$/.exec(sockets?.find((each) => each.includes(':')) ?? '')?.[1]);
    },
    ask: (wish) => ask({ to: socket, ...wish }),
    configure,
    signal: (signal) => child.kill(signal),
  };
}

/** Starts the daemon and waits until its first sweep has finished. */
export async function startDaemon(t: Test, options: DaemonOptions = {}): Promise<RunningDaemon> {
  const daemon = launchDaemon(t, options);
  await daemon.logged('orphand started');
  await until('the daemon to be ready', async () => (await daemon.ask({ path: '/readyz' })).status === 200);
  return daemon;
}

/** Text of a file, '' where there is none. */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
