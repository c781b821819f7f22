import { readFileSync } from 'node:fs';
import type { Host } from './host.ts';
import { imageTar } from './image.ts';
import { endProcesses, lives, pidsOf, processOf, readStat, type Proc } from './processes.ts';
import { until } from './wait.ts';

export interface Docker {
  readonly host: Host;
  /** Runs docker, which must succeed, and returns what it printed. */
  (...args: string[]): Promise<string>;
}

export interface DockerContainer {
  id: string;
  name: string;
  init: Proc;
  shim: Proc;
}

/** A docker engine in its default places on a private host, with the image `bb`. It ends with the test. */
export async function startDocker(host: Host): Promise<Docker> {
  const docker = Object.assign((...args: string[]) => host.ok(['docker', ...args]), { host });
  await startEngine(host);
  await docker('import', imageTar(host), 'bb');
  return docker;
}

/** Starts dockerd, which starts its containerd, and waits until it answers. */
export async function startEngine(host: Host): Promise<void> {
  await host.ok([
    ...['sh', '-c', 'setsid --fork dockerd "$@" >/run/dockerd.log 2>&1 </dev/null', 'sh'],
    ...['--iptables=false', '--ip6tables=false', '--bridge=none', '--storage-driver', 'overlay2'],
    ...['--exec-opt', 'native.cgroupdriver=cgroupfs'],
  ]);
  await until('dockerd to answer', async () => (await host.run(['docker', 'version'])).code === 0).catch(
    (error: unknown) => {
      throw new Error(
        `${String(error)}\n${readFileSync(host.path('/run/dockerd.log'), 'utf8').slice(-2000)}`,
      );
    },
  );
}

/** Starts a container on the host's network. It ends with the host. */
export async function startDockerContainer(
  docker: Docker,
  name: string,
  flags: readonly string[],
  command: readonly string[],
): Promise<DockerContainer> {
  const limits = ['--ulimit', 'nofile=10000:10000', '--ulimit', 'nproc=1000:1000'];
  const id = await docker(
    'run',
    '-d',
    '--name',
    name,
    '--network',
    'host',
    ...limits,
    ...flags,
    'bb',
    ...command,
  );
  docker.host.cgroups.add(id);
  const init = processOf(docker.host, Number(await docker('inspect', name, '--format', '{{.State.Pid}}')));
  return { id, name, init, shim: processOf(docker.host, readStat(docker.host, init.pid)?.ppid ?? 0) };
}

/** SIGKILL for dockerd, containerd and one container's shim together. Other containers keep their shims. */
export async function killEngine({ host }: Docker, { shim }: DockerContainer): Promise<void> {
  const doomed = [...engine(host), shim];
  await endProcesses(host, doomed);
  await until('the engine to be gone', () => doomed.every((one) => !lives(host, one)));
}

/** Removes what containerd and runc keep of a container, so that they don't end it when they start again. */
export async function loseTask({ host }: Docker, { id }: DockerContainer): Promise<void> {
  await host.ok([
    ...['rm', '-rf', `/run/docker/runtime-runc/moby/${id}`],
    `/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/${id}`,
    `/var/lib/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/${id}`,
  ]);
}

function engine(host: Host): Proc[] {
  return pidsOf(host)
    .flatMap((pid) => readStat(host, pid) ?? [])
    .filter(({ comm }) => comm === 'dockerd' || comm === 'containerd');
}
