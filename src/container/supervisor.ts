import type { Supervisor } from '../model.ts';
import { lxcName } from './cgroup-path.ts';
import { hasOption, optionValue, programOf, type Named } from './program.ts';

/** Programs whose processes are a runtime's own, by name. What starts with one of `helperPrefixes` is one too. */
const helpers = new Set([
  'conmon',
  'conmonrs',
  'crio-conmon',
  'podman',
  'podman-remote',
  'buildah',
  'skopeo',
  'crun',
  'runc',
  'youki',
  'runsc',
  'dockerd',
  'docker-containerd',
  'docker-proxy',
  'containerd',
  'buildkitd',
  'nerdctl',
  'crio',
  'balenad',
  'balena-engine',
  'rootlessport',
  'rootlessport-child',
  'rootlesskit',
  'rootlesskit-docker-proxy',
  'slirp4netns',
  'vpnkit',
  'passt',
  'passt.avx2',
  'pasta',
  'pasta.avx2',
  'netavark',
  'aardvark-dns',
  'fuse-overlayfs',
  'gvproxy',
  'systemd-nspawn',
  'lxc-start',
  'lxc-execute',
  'lxcfs',
  'lxd',
  'incusd',
  'libvirt_lxc',
]);
const helperPrefixes = ['containerd-shim', 'docker-containerd-shim', 'balena-engine-containerd-shim'];

/** Which of the container runtimes' own processes this is; undefined where it is none. */
export function helperKind(process: Named): string | undefined {
  const program = programOf(process);
  if (program.startsWith('[lxc monitor]')) return 'lxc monitor';
  if (helpers.has(program)) return program;
  const prefix = helperPrefixes.find((each) => program.startsWith(each));
  if (prefix !== undefined) return program;
  // `podman pause` keeps a rootless user's namespaces: the host's catatonit. A pod's infra container is /catatonit -P, too,
  // and a container's init may be catatonit: these are no helpers.
  if (program === 'catatonit' && process.cmdline[1] === '-P' && process.exe !== '/catatonit')
    return 'podman pause';
  return undefined;
}

/** Programs that run a container (or a build's step) themselves, as its parent, without naming it. */
const engines = new Set(['podman', 'buildah', 'dockerd', 'buildkitd', 'runc', 'crun', 'youki']);

/** What of a process keeps a container alive; undefined where it keeps none. Whether its container runs twice is not looked at here. */
export function supervisorFrom(process: Named & { pid: number; startTime: number }): Supervisor | undefined {
  const kept = keeps(process);
  if (kept === undefined) return undefined;
  const { pid, comm, startTime } = process;
  return { pid, comm, startTime, superseded: undefined, ...kept };
}

type Kept = Pick<Supervisor, 'containerId' | 'exec'>;

function keeps(process: Named): Kept | undefined {
  const { cmdline } = process;
  const program = programOf(process);
  if (program === 'conmon') return conmon(cmdline);
  if (program === 'conmonrs') return kept(undefined);
  if (helperPrefixes.some((prefix) => program.startsWith(prefix))) return kept(shimContainer(cmdline));
  if (/^(?:\[lxc monitor\]|lxc-start|lxc-execute|lxd|incusd)/.test(program))
    return lxcMonitor(program, cmdline);
  if (program === 'libvirt_lxc') return kept(optionValue(cmdline, ['--name']));
  // Without -M the name comes from the directory, an image or a file: any container's then.
  if (program === 'systemd-nspawn') return kept(optionValue(cmdline, ['-M', '--machine']));
  return engines.has(program) ? kept(undefined) : undefined;
}

function kept(containerId: string | undefined): Kept {
  return { containerId, exec: false };
}

/** conmon(8): -c is the container; the conmon of `podman exec` has --exec-… arguments and a -u of its own. */
function conmon(cmdline: string[]): Kept {
  const containerId = optionValue(cmdline, ['-c', '--cid']);
  const instance = optionValue(cmdline, ['-u', '--cuuid']);
  const exec = hasOption(cmdline, '--exec') || (instance !== undefined && instance !== containerId);
  return { containerId, exec };
}

/**
 * The container of a containerd-shim, where it keeps one only: docker's. A shim of Kubernetes keeps a whole pod and
 * names the pod's sandbox (containerd's runtime v2 grouping), so that its id is not the container's.
 */
function shimContainer(cmdline: string[]): string | undefined {
  if (optionValue(cmdline, ['-namespace', '--namespace']) !== 'moby') return undefined;
  const named = optionValue(cmdline, ['-id', '--id']);
  // Runtime v1 (docker 18, 19): -workdir …/moby/ID.
  return named ?? /\/moby\/([0-9a-f]{64})$/.exec(optionValue(cmdline, ['-workdir']) ?? '')?.[1];
}

/** `[lxc monitor] /var/lib/lxc NAME`, a title written over the arguments; a daemon of the same program is no monitor. */
function lxcMonitor(program: string, cmdline: string[]): Kept | undefined {
  const title = cmdline.join(' ').trim();
  const name = /^\[lxc monitor\] \S+ (\S+)$/.exec(title)?.[1];
  if (name !== undefined) return kept(lxcName(name));
  if (title.startsWith('[lxc monitor]')) return kept(undefined);
  return program === 'lxc-start' || program === 'lxc-execute'
    ? kept(optionValue(cmdline, ['-n', '--name']))
    : undefined;
}
