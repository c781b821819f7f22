import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Test } from 'tap';
import { removeCgroups, thawCgroups } from './cgroups.ts';
import { run, type Result, type RunOptions } from './run.ts';
import { until } from './wait.ts';

/** How /sys/fs/cgroup looks: as this machine has it (hybrid here), or as a pure cgroup v2 tree. */
export type View = 'native' | 'v2';

/** A place to run podman, docker and orphand together: a host of the test's own, or the machine itself. */
export interface Host {
  readonly name: string;
  /** The test's own folder, the same path inside and outside. */
  readonly dir: string;
  /** Node and orphand's built entry, as paths inside. */
  readonly orphand: readonly [node: string, entry: string];
  /** Called when the test ends, before the host goes, last one first. */
  readonly onEnd: (() => Promise<void> | void)[];
  /** Whether all that runs on it goes with it, so that nothing needs to be ended by itself. */
  readonly disposable: boolean;
  /** Names of the cgroups that containers got here; their folders outlive the processes. */
  readonly cgroups: Set<string>;
  /** Environment that every command gets. */
  readonly env: Record<string, string>;
  /** Runs a command inside and returns its exit code and output. */
  run(argv: readonly string[], options?: RunOptions): Promise<Result>;
  /** Runs a command inside that must succeed and returns what it printed, trimmed. Throws with what it complained about. */
  ok(argv: readonly string[], options?: RunOptions): Promise<string>;
  /** The path outside of a file inside. */
  path(inside: string): string;
}

/** Where the helpers' own files are. */
export const labFolder = import.meta.dirname;
/** This project. */
export const repository = resolve(labFolder, '../../..');
const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** statfs(2) f_type of a cgroup v2 mount. */
const cgroup2Magic = 0x63677270;

/** The views that this machine can give: on a pure v2 machine there is only one. */
export function views(): View[] {
  return statfsSync('/sys/fs/cgroup').type === cgroup2Magic ? ['native'] : ['native', 'v2'];
}

/** The commands' side of a host: enters it, becomes the user, and runs. */
export function commands(host: Pick<Host, 'env'>, enter: readonly string[]): Pick<Host, 'run' | 'ok'> {
  const runInside: Host['run'] = (argv, options = {}) => {
    const as = options.user === undefined ? [] : ['runuser', '-u', options.user, '--'];
    // tap adds NODE_OPTIONS of its own to what a test spawns; orphand runs as it would for anyone.
    const env = Object.entries({ ...host.env, ...options.env }).map(([name, value]) => `${name}=${value}`);
    return run([...enter, 'env', '-i', ...env, ...as, ...argv], options.timeoutMs);
  };
  return {
    run: runInside,
    async ok(argv, options) {
      const { code, stdout, stderr } = await runInside(argv, options);
      if (code !== 0) throw new Error(`${argv.join(' ')}: exit ${code}\n${stdout}${stderr}`);
      return stdout.trim();
    },
  };
}

/** A folder that goes with the test, and what every kind of host has. */
export function beginHost(t: Test): Pick<Host, 'dir' | 'env' | 'onEnd' | 'cgroups' | 'disposable'> {
  const dir = mkdtempSync(join(tmpdir(), 'orphand-lab-'));
  chmodSync(dir, 0o755);
  const host = {
    dir,
    env: { PATH: searchPath, HOME: '/root', LANG: 'C.UTF-8' },
    onEnd: [] as Host['onEnd'],
    cgroups: new Set<string>(),
    disposable: true,
  };
  t.teardown(async () => {
    thawCgroups(host.cgroups);
    for (const end of host.onEnd.reverse()) await end();
    await removeCgroups(host.cgroups);
    rmSync(dir, { recursive: true, force: true });
  });
  return host;
}

/**
 * A host of the test's own: pid 1, processes, network (loopback only), /run, /var/lib, /etc and /home are private, so
 * default ports, default stores and default patterns are safe to use, and nothing outlives the test.
 */
export async function privateHost(t: Test, view: View = 'native'): Promise<Host> {
  const host = beginHost(t);
  const child = spawn(
    'unshare',
    [
      ...['--mount', '--pid', '--net', '--ipc', '--fork', '--kill-child', '--mount-proc'],
      ...['--propagation', 'private'],
      ...['bash', join(labFolder, 'host.sh'), view, repository, process.execPath],
    ],
    { env: host.env, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise((done) => child.on('exit', done));
  host.onEnd.push(async () => {
    child.stdin.end();
    await ended;
  });
  await until('a private host', () => {
    if (child.exitCode !== null) throw new Error(`no private host: ${output}`);
    return output.includes('ready\n');
  });
  const init = readFileSync(`/proc/${child.pid ?? 0}/task/${child.pid ?? 0}/children`, 'utf8').trim();
  return {
    ...host,
    name: view,
    orphand: ['/run/lab/node', '/run/lab/repo/dist/bin.js'],
    path: (inside) => `/proc/${init}/root${inside}`,
    ...commands(host, ['nsenter', '-t', init, '-m', '-p', '-n', '-i', '--']),
  };
}

/** The machine itself, with all that runs on it. Use random ports and patterns with the test's own folder in them. */
export function thisMachine(t: Test): Host {
  const host = beginHost(t);
  return {
    ...host,
    name: 'this machine',
    disposable: false,
    orphand: [process.execPath, join(repository, 'dist/bin.js')],
    path: (inside) => inside,
    ...commands(host, []),
  };
}
