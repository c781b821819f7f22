import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Test } from 'tap';
import { beginHost, commands, labFolder, repository, type Host } from './host.ts';
import { until } from './wait.ts';

/**
 * A host with systemd as pid 1: this machine's own system, copied on write, booted by systemd-nspawn to basic.target
 * with a pure cgroup v2 tree and a network of its own. Takes about two seconds; nothing of it stays.
 */
export async function systemdHost(t: Test): Promise<Host> {
  const host = beginHost(t);
  const cgroup = basename(host.dir);
  host.cgroups.add(cgroup);
  const script = join(labFolder, 'systemd-host.sh');
  const child = spawn(
    'unshare',
    [
      ...['--mount', '--propagation', 'private', 'bash', script],
      host.dir,
      cgroup,
      repository,
      process.execPath,
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
  const init = await until('systemd as a pid 1', () => {
    if (child.exitCode !== null) throw new Error(`no systemd: ${output}`);
    const nspawn = childrenOf(child.pid ?? 0).find((pid) => commOf(pid) === 'systemd-nspawn');
    return nspawn === undefined ? undefined : childrenOf(nspawn).find((pid) => commOf(pid) === 'systemd');
  });
  const enter = ['nsenter', '-t', `${init}`, '-m', '-p', '-n', '-i', '-u', '-C', '--'];
  const systemctl = ['systemctl', 'is-active', 'basic.target'];
  await until('basic.target', async () => (await commands(host, enter).run(systemctl)).code === 0);
  // What nsenter starts is in no cgroup of this host until systemd gives it one, as it does for a session.
  const inside = commands(host, [...enter, 'systemd-run', '--scope', '--quiet', '--slice=user.slice', '--']);
  await inside.ok(['ip', 'link', 'set', 'lo', 'up']);
  return {
    ...host,
    name: 'systemd',
    orphand: ['/opt/lab/node', '/opt/lab/repo/dist/bin.js'],
    path: (file) => `/proc/${init}/root${file}`,
    ...inside,
  };
}

/** Writes a unit of a systemd host and starts it. */
export async function startUnit(host: Host, name: string, service: readonly string[]): Promise<void> {
  const file = host.path(`/etc/systemd/system/${name}`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, ['[Service]', ...service, ''].join('\n'));
  await host.ok(['systemctl', 'daemon-reload']);
  await host.ok(['systemctl', 'start', name]);
}

function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

const commOf = (pid: number): string => read(`/proc/${pid}/comm`).trim();

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
