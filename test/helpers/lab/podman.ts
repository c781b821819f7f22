import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Host } from './host.ts';
import { imageTar } from './image.ts';
import { unmountBelow } from './mounts.ts';
import { endProcesses, lives, processOf, type Proc } from './processes.ts';
import type { RunOptions } from './run.ts';
import { until } from './wait.ts';

/** podman on a host, of root or of a user, with the image `localhost/bb`. */
export interface Podman {
  readonly host: Host;
  readonly user: string | undefined;
  /** Where podman keeps `alive`, and the OCI runtime its states. */
  readonly tmpDir: string;
  readonly runcRoot: string;
  /** Runs podman, which must succeed, and returns what it printed. */
  (...args: string[]): Promise<string>;
}

export interface Container {
  id: string;
  name: string;
  /** The container's first process. */
  init: Proc;
  conmon: Proc;
}

/** What this machine's containers need: its limits can't be raised, its v2 tree has no pids controller (lab README). */
export function containersConf(
  runtime: 'runc' | 'crun',
  manager: 'cgroupfs' | 'systemd' = 'cgroupfs',
  tmpDir?: string,
): string {
  return [
    '[containers]',
    'pids_limit = 0',
    'default_ulimits = ["nofile=10000:10000", "nproc=1000:1000"]',
    '[engine]',
    `cgroup_manager = "${manager}"`,
    `runtime = "${runtime}"`,
    ...(tmpDir === undefined ? [] : [`tmp_dir = "${tmpDir}"`]),
    '',
  ].join('\n');
}

/** Podman for one user of a host, once its configuration is there. */
export async function openPodman(
  host: Host,
  place: Pick<Podman, 'user' | 'tmpDir' | 'runcRoot'>,
): Promise<Podman> {
  const command = (...args: string[]) => host.ok(['podman', ...args], options(place));
  const podman = Object.assign(command, { host, ...place });
  await podman('import', imageTar(host), 'localhost/bb');
  return podman;
}

/** Root's podman of a private host, in its default places: /var/lib/containers, /run/containers, /run/libpod. */
export async function rootPodman(host: Host): Promise<Podman> {
  write(
    host.path('/etc/containers/containers.conf'),
    containersConf('runc', host.name === 'systemd' ? 'systemd' : 'cgroupfs'),
  );
  return openPodman(host, { user: undefined, tmpDir: '/run/libpod', runcRoot: '/run/runc' });
}

/** Root's podman with a store of the test's own, for the machine itself; every command of the host gets its environment. */
export async function isolatedPodman(host: Host): Promise<Podman> {
  const tmpDir = join(host.dir, 'podman-tmp');
  const storage = [
    '[storage]',
    'driver = "overlay"',
    `graphroot = "${host.dir}/store"`,
    `runroot = "${host.dir}/run"`,
  ];
  write(join(host.dir, 'containers.conf'), containersConf('runc', 'cgroupfs', tmpDir));
  write(join(host.dir, 'storage.conf'), [...storage, ''].join('\n'));
  // What podman no longer knows it no longer unmounts; podman 5 has the store itself mounted then, too.
  host.onEnd.push(() => unmountBelow(host.dir));
  host.env['CONTAINERS_CONF'] = join(host.dir, 'containers.conf');
  host.env['CONTAINERS_STORAGE_CONF'] = join(host.dir, 'storage.conf');
  return openPodman(host, { user: undefined, tmpDir, runcRoot: '/run/runc' });
}

/** Starts a container on the host's network and says which processes it has. It ends with the test. */
export async function startContainer(
  podman: Podman,
  name: string,
  flags: readonly string[],
  command: readonly string[],
): Promise<Container> {
  const id = await podman(
    'run',
    '-d',
    '--name',
    name,
    '--network',
    'host',
    ...flags,
    'localhost/bb',
    ...command,
  );
  podman.host.cgroups.add(`libpod-${id}`);
  const container = await currentLife(podman, name);
  if (!podman.host.disposable) podman.host.onEnd.push(() => endContainer(podman, container));
  return container;
}

/** A container's processes as podman records them now. Throws when it has none. */
export async function currentLife(podman: Podman, name: string): Promise<Container> {
  const [id = '', pid, conmon] = (
    await podman('inspect', name, '--format', '{{.Id}} {{.State.Pid}} {{.State.ConmonPid}}')
  ).split(' ');
  const { host } = podman;
  return { id, name, init: processOf(host, Number(pid)), conmon: processOf(host, Number(conmon)) };
}

/** The state that `podman ps -a` shows for a container (`running`, `created`, …); undefined when podman doesn't list it. */
export async function stateOf(podman: Podman, name: string): Promise<string | undefined> {
  const all = JSON.parse(await podman('ps', '-a', '--format', 'json')) as {
    Names: string[];
    State: string;
  }[];
  return all.find(({ Names }) => Names.includes(name))?.State;
}

/** SIGKILL for a container's conmon, the beginning of most orphans. */
export async function killConmon(podman: Podman, { conmon }: Container): Promise<void> {
  await podman.host.ok(['kill', '-KILL', `${conmon.pid}`]);
  await until('conmon to be gone', () => !lives(podman.host, conmon));
}

/** Removes podman's `alive` file, which it takes for a reboot: afterwards it says "Created" of a running container. */
export async function loseAlive({ host, tmpDir }: Podman): Promise<void> {
  await host.ok(['rm', '-f', join(tmpDir, 'alive'), join(tmpDir, 'alive.lck')]);
}

/** Kills conmon and makes podman and runc forget the container, whose processes run on. */
export async function makePodmanForget(podman: Podman, container: Container): Promise<void> {
  await killConmon(podman, container);
  await loseAlive(podman);
  // It may fail to unmount what it no longer knows and has forgotten the container all the same.
  const { stderr } = await podman.host.run(['podman', 'rm', container.name], options(podman));
  if ((await stateOf(podman, container.name)) !== undefined)
    throw new Error(`podman still knows it: ${stderr}`);
  // Not `runc delete --force`, which kills.
  await podman.host.ok(['rm', '-rf', join(podman.runcRoot, container.id)]);
}

/**
 * Kills conmon, wipes what was known of the container and starts it again, as a boot-like start does: the old life
 * keeps the port, and with --restart=always podman tries again and again. False where nothing starts, because the
 * runtime takes no cgroup that has processes in it (runc 1.1.15 under systemd, not 1.1.5).
 */
export async function restartAgainstItself(podman: Podman, container: Container): Promise<boolean> {
  await killConmon(podman, container);
  await loseAlive(podman);
  await podman.host.ok(['rm', '-rf', join(podman.runcRoot, container.id)]);
  const started = await podman.host.run(['podman', 'start', container.name], options(podman));
  if (started.stderr.includes("container's cgroup is not empty")) return false;
  if (started.code !== 0) throw new Error(`podman start ${container.name}: ${started.stderr}`);
  return true;
}

/** How often podman's restart policy has started a container. */
export async function restartCount(podman: Podman, name: string): Promise<number> {
  const count = ['podman', 'inspect', name, '--format', '{{.RestartCount}}'];
  // podman 4.3 fails where the container ends while it reads its /proc entry, which one in a crash loop often does.
  return until(`the restarts of ${name}`, async () => {
    const { code, stdout } = await podman.host.run(count, options(podman));
    return code === 0 && Number(stdout);
  });
}

async function endContainer(podman: Podman, { name, init, conmon }: Container): Promise<void> {
  await endProcesses(podman.host, [conmon, init]);
  // Twice: after a kill of conmon the first one only notices (lab README).
  for (let round = 0; round < 2; round++)
    await podman.host.run(['podman', 'rm', '--force', '--ignore', '--time', '0', name], options(podman));
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function options({ user }: Pick<Podman, 'user'>): RunOptions {
  return user === undefined ? {} : { user };
}
