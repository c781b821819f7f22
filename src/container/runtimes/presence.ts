import type { RuntimeName } from '../../model.ts';
import { MalformedError, UnreadableError, type ProcFs } from '../../procfs/fs.ts';
import { listPids } from '../../procfs/pids.ts';
import { readStat } from '../../procfs/stat.ts';
import type { Host } from './host.ts';

/** Signs of a runtime on a host: its programs, the files and sockets of a running or used one, the names of its daemons. */
const signs: Partial<Record<RuntimeName, { programs: string[]; paths: string[]; daemons: string[] }>> = {
  podman: {
    programs: ['podman', 'conmon'],
    paths: [
      '/var/lib/containers/storage',
      '/run/containers/storage',
      '/run/libpod',
      '/run/podman/podman.sock',
    ],
    daemons: ['podman', 'conmon'],
  },
  docker: {
    programs: ['docker', 'dockerd'],
    paths: ['/var/lib/docker', '/var/snap/docker', '/var/run/docker.sock', '/run/docker'],
    daemons: ['dockerd'],
  },
  containerd: {
    programs: ['containerd', 'ctr', 'nerdctl', 'k3s', 'rke2', 'k0s'],
    paths: ['/run/containerd', '/run/k3s', '/var/lib/containerd', '/var/snap/microk8s'],
    daemons: ['containerd', 'k3s-server', 'k3s-agent', 'dockerd'],
  },
  crio: {
    programs: ['crio', 'crictl'],
    paths: ['/run/crio', '/var/run/crio', '/var/lib/crio'],
    daemons: ['crio'],
  },
  lxc: {
    programs: ['lxc-start', 'lxd', 'incusd', 'incus', 'lxc'],
    paths: ['/var/lib/lxc', '/var/lib/lxd', '/var/lib/incus', '/var/snap/lxd', '/run/lxc'],
    daemons: ['lxc-start', 'lxd', 'incusd'],
  },
  'libvirt-lxc': {
    programs: ['libvirtd', 'virtlxcd', 'virsh'],
    paths: ['/run/libvirt'],
    daemons: ['libvirtd', 'virtlxcd', 'libvirt_lxc'],
  },
  nspawn: {
    programs: ['systemd-nspawn', 'machinectl'],
    paths: ['/run/systemd/machines', '/run/systemd/nspawn'],
    daemons: ['systemd-nspawn', 'systemd-machined'],
  },
};

/** Whether a runtime is on this host in any form; true for one whose signs nobody knows (`unknown`, `ecs` …). */
export function isPresent(
  host: Host,
  proc: ProcFs,
  runtime: RuntimeName,
  running: () => readonly string[] = () => commands(proc),
): boolean {
  const known = signs[runtime];
  if (known === undefined) return true;
  if (known.programs.some((name) => host.program(name) !== undefined)) return true;
  if (known.paths.some((path) => host.exists(path))) return true;
  return running().some(
    (comm) =>
      known.daemons.includes(comm) || (runtime === 'containerd' && comm.startsWith('containerd-shim')),
  );
}

/** The names of all processes; an unreadable one might be any, but there is no host on which stat is. */
function commands(proc: ProcFs): string[] {
  return listPids(proc).flatMap((pid) => {
    try {
      return readStat(proc, pid)?.comm ?? [];
    } catch (error) {
      if (error instanceof UnreadableError || error instanceof MalformedError) return [];
      throw error;
    }
  });
}
