import { existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { labFolder, type Host } from './host.ts';
import { until } from './wait.ts';

/** A process as a host numbers it; the start time tells it from a later one of the same pid. */
export interface Proc {
  pid: number;
  startTime: number;
}

/** /proc/PID/stat, as far as tests ask. */
export interface ProcStat extends Proc {
  comm: string;
  state: string;
  ppid: number;
  threads: number;
}

/** Reads /proc/PID/stat of a host; undefined when there is no such process. */
export function readStat(host: Host, pid: number): ProcStat | undefined {
  let text: string;
  try {
    text = readFileSync(host.path(`/proc/${pid}/stat`), 'utf8');
  } catch {
    return undefined;
  }
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  return {
    pid,
    comm: text.slice(text.indexOf('(') + 1, end),
    state: fields[0] ?? '',
    ppid: Number(fields[1]),
    threads: Number(fields[17]),
    startTime: Number(fields[19]),
  };
}

/** The process that a pid names now. Throws when there is none. */
export function processOf(host: Host, pid: number): Proc {
  const stat = readStat(host, pid);
  if (stat === undefined) throw new Error(`no process ${pid} on ${host.name}`);
  return { pid, startTime: stat.startTime };
}

/** Whether that very process still runs. State Z with other threads counts: those threads run. */
export function lives(host: Host, { pid, startTime }: Proc): boolean {
  const stat = readStat(host, pid);
  if (stat?.startTime !== startTime) return false;
  return !['Z', 'X'].includes(stat.state) || stat.threads > 1;
}

/** Every pid of a host. */
export function pidsOf(host: Host): number[] {
  return readdirSync(host.path('/proc'))
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);
}

/** Every process in the pid namespace of a process: a container, its children included. */
function processesBeside(host: Host, pid: number): Proc[] {
  const namespace = (of: number) => {
    try {
      return readlinkSync(host.path(`/proc/${of}/ns/pid`));
    } catch {
      return undefined;
    }
  };
  const own = namespace(pid);
  return pidsOf(host)
    .filter((other) => namespace(other) === own)
    .flatMap((other) => readStat(host, other) ?? [])
    .map(({ startTime, pid: other }) => ({ pid: other, startTime }));
}

/**
 * The processes of a container once there are exactly so many: busybox's httpd forks for each request, and such a child
 * may still be around. Throws when there never are.
 */
export function treeOf(host: Host, pid: number, size: number): Promise<Proc[]> {
  return until(`${size} processes in the container of ${pid}`, () => {
    const tree = processesBeside(host, pid);
    return tree.length === size && tree;
  });
}

/** What serve.py is told; see there. */
export interface LabServer {
  ports?: number[];
  /** UDP ports that it binds. */
  udp?: number[];
  address?: string;
  reuseport?: boolean;
  workers?: number;
  ignoreTerm?: boolean;
  comm?: string;
  deadMain?: boolean;
  give?: string;
  take?: string;
}

export interface HostProcess extends LabServer {
  /** The script's path below the host's folder: `app/server.py`. */
  script: string;
  /** The whole command line, with SCRIPT for the script's path; the first word may be anything. */
  argv: string[];
  user?: string;
  /** Keep the starting shell as its parent, instead of leaving it to pid 1. */
  parent?: boolean;
  env?: Record<string, string>;
}

let count = 0;

/**
 * Starts serve.py on a host under any command line, as a process of nobody's: its parent exits at once, so pid 1
 * takes it over. Returns when it listens. Ended with the test.
 */
export async function startProcess(host: Host, options: HostProcess): Promise<Proc & { workers: Proc[] }> {
  const { script, argv, user, parent, env, ...lab } = options;
  const path = join(host.dir, script);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, readFileSync(join(labFolder, 'serve.py')));
  const place = join(host.dir, `process-${++count}`);
  mkdirSync(place, { mode: 0o777 });
  if (user !== undefined) await host.ok(['chown', user, place]);
  const ready = join(place, 'ready');
  // Its words come from a file, so that the shell's own command line matches no pattern.
  writeFileSync(
    join(place, 'start'),
    `exec </dev/null >${place}/log 2>&1\nmapfile -d '' -t words <${place}/argv\n` +
      `exec -a "\${words[0]}" /usr/bin/python3 "\${words[@]:1}"\n`,
  );
  writeFileSync(join(place, 'argv'), argv.map((word) => `${word.replace('SCRIPT', path)}\0`).join(''));
  const shell = ['bash', join(place, 'start')];
  await host.ok(
    [
      'setsid',
      '--fork',
      ...(parent === true
        ? ['bash', '-c', '"$@" >/dev/null 2>&1 </dev/null; exit', 'bash', ...shell]
        : shell),
    ],
    { ...(user !== undefined && { user }), env: { ...env, LAB: JSON.stringify({ ...lab, ready }) } },
  );
  await until(`${argv.join(' ')} to be ready`, () => existsSync(ready)).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${readFileSync(join(place, 'log'), 'utf8')}`);
  });
  const { pid, workers } = JSON.parse(readFileSync(ready, 'utf8')) as { pid: number; workers: number[] };
  const started = processOf(host, pid);
  const all = [started, ...workers.map((worker) => processOf(host, worker))];
  if (!host.disposable) host.onEnd.push(() => endProcesses(host, all));
  if (parent !== true) await until(`${pid} to lose its parent`, () => readStat(host, pid)?.ppid === 1);
  return { ...started, workers: all.slice(1) };
}

/** An orphan of the built-in stack, by its command line; on 8091 unless the options say otherwise. */
export function startOrphan(
  host: Host,
  options: Omit<Partial<HostProcess>, 'script' | 'argv'> = {},
): Promise<Proc & { workers: Proc[] }> {
  const argv = ['python3', '-u', 'SCRIPT', '--config', 'x'];
  return startProcess(host, { script: 'app/server.py', argv, ports: [8091], ...options });
}

/** Ends processes by pid, unless the pid is another's by now. */
export async function endProcesses(host: Host, processes: readonly Proc[]): Promise<void> {
  const left = processes.filter((one) => lives(host, one)).map(({ pid }) => `${pid}`);
  if (left.length > 0) await host.run(['kill', '-KILL', ...left]);
}

/** The words of a process's command line; none when there is no such process. */
export function readCmdline(host: Host, pid: number): string[] {
  try {
    return readFileSync(host.path(`/proc/${pid}/cmdline`), 'utf8')
      .split('\0')
      .slice(0, -1);
  } catch {
    return [];
  }
}

/** Waits for a process with exactly that command line, and returns it. */
export async function processRunning(host: Host, argv: readonly string[]): Promise<Proc> {
  const wanted = argv.join('\0');
  const pid = await until(argv.join(' '), () =>
    pidsOf(host).find((one) => readCmdline(host, one).join('\0') === wanted),
  );
  return processOf(host, pid);
}
