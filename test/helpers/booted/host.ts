import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { readText } from '../../../src/procfs/fs.ts';
import { beginHost, commands, type Host } from '../lab/host.ts';
import { until } from '../lab/wait.ts';
import { nodeInside } from './root.ts';

/** A host of its own with systemd as PID 1. */
export interface BootedHost extends Host {
  /** Asks systemd for a property of a unit. */
  show(unit: string, property: string): Promise<string>;
  /** Shuts the host down in order, and waits for the end. */
  powerOff(): Promise<void>;
}

let count = 0;

/**
 * Boots a root (root.ts) and waits until systemd has started all that it starts at boot. Commands are run in scopes of
 * their own, as from a login: what they leave behind belongs to no unit's service.
 */
export async function bootedHost(t: Test, root: string, program: string): Promise<BootedHost> {
  const host = beginHost(t);
  const name = `orphand-boot-${process.pid}-${++count}`;
  host.cgroups.add(name);
  // Not on the overlay: container stores are overlays themselves. A second boot of the same root has the same store.
  const store = join(dirname(root), 'containers');
  mkdirSync(store, { recursive: true });
  const binds = [`--bind=${store}:/var/lib/containers`, `--bind=${host.dir}`];
  const child = spawn(
    'unshare',
    ['--mount', 'sh', join(import.meta.dirname, 'boot.sh'), name, root, ...binds],
    {
      env: host.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise((done) => child.on('exit', done));
  const init = await until('systemd as PID 1', () => {
    if (child.exitCode !== null) throw new Error(`no boot: ${output}`);
    return childNamed(child.pid ?? 0, 'systemd');
  });
  // tap wants its hooks in every node below this one (NODE_OPTIONS); their files are not there.
  const clean = ['env', '--unset=NODE_OPTIONS'];
  const enter = ['nsenter', '-t', `${init}`, '-m', '-u', '-i', '-n', '-p', '-C', '--', ...clean];
  const plain = commands(host, enter);
  const powerOff = async (): Promise<void> => {
    // SIGRTMIN+4 to PID 1 is `systemctl poweroff` (systemd(1)).
    if (child.exitCode === null) process.kill(init, 38);
    await ended;
  };
  // The end of PID 1 is that of the rest, without the order of a shutdown. nspawn waits for it, so the pid is still its.
  host.onEnd.push(async () => {
    if (child.exitCode === null) process.kill(init, 'SIGKILL');
    await ended;
  });
  await until(
    'the end of the boot',
    async () => {
      if (child.exitCode !== null) throw new Error(`no boot: ${output}`);
      return /^(running|degraded)$/m.test((await plain.run(['systemctl', 'is-system-running'])).stdout);
    },
    90_000,
  );
  return {
    ...host,
    name: 'systemd',
    disposable: true,
    orphand: [nodeInside, join(program, 'dist/bin.js')],
    path: (inside) => `/proc/${init}/root${inside}`,
    ...commands(host, [...enter, 'systemd-run', '--scope', '--quiet', '--collect', '--']),
    show: async (unit, property) =>
      await plain.ok(['systemctl', 'show', '--value', '--property', property, unit]),
    powerOff,
  };
}

/** The child of a process, or of its children, that has this name; of one that ends meanwhile nothing can be read. */
function childNamed(pid: number, comm: string): number | undefined {
  const proc = { root: '/proc' };
  const children = (readText(proc, `${pid}/task/${pid}/children`) ?? '')
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number);
  for (const child of children) {
    if (readText(proc, `${child}/comm`)?.trim() === comm) return child;
    const below = childNamed(child, comm);
    if (below !== undefined) return below;
  }
  return undefined;
}
