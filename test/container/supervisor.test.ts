import t from 'tap';
import { helperKind, supervisorFrom } from '../../src/container/supervisor.ts';
import { hexId } from '../helpers/host-tree.ts';

const id = hexId('8');
const session = hexId('5');

/** As podman 4.3.1 starts it, taken from a real process. */
const conmon = [
  '/usr/bin/conmon',
  '--api-version',
  '1',
  '-c',
  id,
  '-u',
  id,
  '-r',
  '/usr/bin/runc',
  '-b',
  `/var/lib/containers/storage/overlay-containers/${id}/userdata`,
  '-p',
  `/run/containers/storage/overlay-containers/${id}/userdata/pidfile`,
  '-n',
  'one',
  '--exit-dir',
  '/run/libpod/exits',
  '--full-attach',
  '-l',
  'k8s-file:/x/ctr.log',
  '--log-level',
  'warning',
  '--runtime-arg',
  '--log-format=json',
  '--conmon-pidfile',
  `/run/containers/storage/overlay-containers/${id}/userdata/conmon.pid`,
  '--exit-command',
  '/usr/bin/podman',
  '--exit-command-arg',
  '--root',
  '--exit-command-arg',
  '',
  '--exit-command-arg',
  id,
];

const supervisors: {
  name: string;
  comm?: string;
  cmdline: string[];
  exe?: string;
  expected: { containerId: string | undefined; exec?: boolean } | undefined;
}[] = [
  { name: 'conmon', cmdline: conmon, exe: '/usr/bin/conmon', expected: { containerId: id } },
  {
    name: 'conmon of podman exec, by its arguments',
    cmdline: ['/usr/bin/conmon', '-c', id, '-u', id, '--exec-attach', '--exec-process-spec', '/x'],
    exe: '/usr/bin/conmon',
    expected: { containerId: id, exec: true },
  },
  {
    name: 'conmon of podman exec, by another -u',
    cmdline: ['/usr/bin/conmon', '-c', id, '-u', session],
    exe: '/usr/bin/conmon',
    expected: { containerId: id, exec: true },
  },
  {
    name: 'an exit command that mentions exec makes no exec session',
    cmdline: [...conmon, '--exit-command-arg', '--exec'],
    exe: '/usr/bin/conmon',
    expected: { containerId: id },
  },
  {
    name: 'a process that calls itself conmon and is another program keeps nothing',
    comm: 'conmon',
    cmdline: conmon,
    exe: '/usr/bin/python3',
    expected: undefined,
  },
  {
    name: 'conmon whose executable can’t be read goes by its arguments',
    cmdline: conmon,
    expected: { containerId: id },
  },
  {
    name: 'conmon-rs keeps many containers',
    cmdline: ['conmonrs', '--runtime', 'crun'],
    exe: '/usr/libexec/crio/conmonrs',
    expected: { containerId: undefined },
  },
  {
    name: 'docker’s shim',
    cmdline: ['/usr/bin/containerd-shim-runc-v2', '-namespace', 'moby', '-id', id, '-address', '/x'],
    exe: '/usr/bin/containerd-shim-runc-v2',
    expected: { containerId: id },
  },
  {
    name: 'docker’s shim of old',
    cmdline: [
      'containerd-shim',
      '-namespace',
      'moby',
      '-workdir',
      `/var/lib/containerd/io.containerd.runtime.v1.linux/moby/${id}`,
    ],
    exe: '/usr/bin/containerd-shim',
    expected: { containerId: id },
  },
  {
    name: 'Kubernetes’ shim keeps a pod: its id is the sandbox’s, not the container’s',
    cmdline: ['/usr/bin/containerd-shim-runc-v2', '-namespace', 'k8s.io', '-id', id],
    exe: '/usr/bin/containerd-shim-runc-v2',
    expected: { containerId: undefined },
  },
  {
    name: 'an lxc monitor names its container in its title',
    comm: 'lxc-start',
    cmdline: ['[lxc monitor] /var/lib/lxc web'],
    exe: '/usr/bin/lxc-start',
    expected: { containerId: 'web' },
  },
  {
    name: 'an Incus monitor: the name is the one that the cgroup gives',
    comm: 'incusd',
    cmdline: ['[lxc monitor] /var/lib/incus/containers user-1000_web'],
    exe: '/opt/incus/bin/incusd',
    expected: { containerId: 'web' },
  },
  {
    name: 'the Incus daemon keeps nothing',
    cmdline: ['incusd', '--group', 'incus-admin'],
    exe: '/opt/incus/bin/incusd',
    expected: undefined,
  },
  {
    name: 'libvirt’s controller',
    cmdline: ['/usr/libexec/libvirt_lxc', '--name', 'web', '--console', '21'],
    exe: '/usr/libexec/libvirt_lxc',
    expected: { containerId: 'web' },
  },
  {
    name: 'systemd-nspawn with -M',
    cmdline: ['systemd-nspawn', '--quiet', '-n', '-M', 'web'],
    exe: '/usr/bin/systemd-nspawn',
    expected: { containerId: 'web' },
  },
  {
    name: 'systemd-nspawn with --machine=',
    cmdline: ['systemd-nspawn', '--boot', '--machine=web'],
    exe: '/usr/bin/systemd-nspawn',
    expected: { containerId: 'web' },
  },
  {
    name: 'systemd-nspawn without a name keeps any',
    cmdline: ['systemd-nspawn', '-D', '/srv/web'],
    exe: '/usr/bin/systemd-nspawn',
    expected: { containerId: undefined },
  },
  {
    name: 'podman build keeps its step',
    cmdline: ['podman', 'build', '.'],
    exe: '/usr/bin/podman',
    expected: { containerId: undefined },
  },
  {
    name: 'buildah’s helper for a step',
    comm: 'exe',
    cmdline: ['buildah-oci-runtime'],
    exe: '/usr/bin/buildah',
    expected: { containerId: undefined },
  },
  {
    name: 'runc in the foreground',
    cmdline: ['runc', 'run', 'web'],
    exe: '/usr/sbin/runc',
    expected: { containerId: undefined },
  },
  {
    name: 'dockerd keeps the steps of its builds',
    cmdline: ['dockerd'],
    exe: '/usr/bin/dockerd',
    expected: { containerId: undefined },
  },
  {
    name: 'containerd takes over orphans of dead shims and keeps nothing',
    cmdline: ['containerd'],
    exe: '/usr/bin/containerd',
    expected: undefined,
  },
  { name: 'a shell keeps nothing', cmdline: ['bash'], exe: '/bin/bash', expected: undefined },
];

for (const { name, comm = 'x', cmdline, exe, expected } of supervisors) {
  t.test(name, (t) => {
    const found = supervisorFrom({ pid: 7, startTime: 9, comm, cmdline, exe });
    const base = { pid: 7, startTime: 9, comm, superseded: undefined, exec: false };
    t.strictSame(found, expected === undefined ? undefined : { ...base, ...expected });
    t.end();
  });
}

const helpers: {
  name: string;
  comm?: string;
  cmdline: string[];
  exe?: string;
  expected: string | undefined;
}[] = [
  { name: 'conmon', cmdline: conmon, exe: '/usr/bin/conmon', expected: 'conmon' },
  {
    name: 'docker-proxy',
    cmdline: ['/usr/bin/docker-proxy', '-proto', 'tcp'],
    exe: '/usr/bin/docker-proxy',
    expected: 'docker-proxy',
  },
  {
    name: 'a shim of another sandbox',
    cmdline: ['containerd-shim-kata-v2'],
    exe: '/usr/bin/containerd-shim-kata-v2',
    expected: 'containerd-shim-kata-v2',
  },
  {
    name: 'rootlessport',
    cmdline: ['rootlessport'],
    exe: '/usr/libexec/podman/rootlessport',
    expected: 'rootlessport',
  },
  {
    name: 'rootlessport’s child',
    comm: 'exe',
    cmdline: ['rootlessport-child'],
    exe: '/usr/libexec/podman/rootlessport',
    expected: 'rootlessport',
  },
  {
    name: 'rootlessport’s child, unreadable',
    comm: 'exe',
    cmdline: ['rootlessport-child'],
    expected: 'rootlessport-child',
  },
  {
    name: 'pasta for a newer CPU',
    comm: 'pasta.avx2',
    cmdline: ['/usr/bin/pasta', '--config-net'],
    exe: '/usr/bin/passt.avx2',
    expected: 'passt.avx2',
  },
  {
    name: 'slirp4netns',
    cmdline: ['slirp4netns', '-c'],
    exe: '/usr/bin/slirp4netns',
    expected: 'slirp4netns',
  },
  {
    name: 'runc while it creates a container',
    comm: 'runc:[2:INIT]',
    cmdline: ['runc', 'init'],
    exe: '/memfd:runc_cloned:/proc/self/exe (deleted)',
    expected: 'runc',
  },
  {
    name: 'the podman that a person waits for',
    cmdline: ['podman', 'run', 'x'],
    exe: '/usr/bin/podman',
    expected: 'podman',
  },
  {
    name: 'podman’s pause process',
    cmdline: ['catatonit', '-P'],
    exe: '/usr/bin/catatonit',
    expected: 'podman pause',
  },
  {
    name: 'a pod’s infra container is no helper',
    cmdline: ['/catatonit', '-P'],
    exe: '/catatonit',
    expected: undefined,
  },
  {
    name: 'a container’s init is no helper',
    cmdline: ['/run/podman-init', '--', 'server'],
    exe: '/usr/bin/catatonit',
    expected: undefined,
  },
  { name: 'an lxc monitor', cmdline: ['[lxc monitor] /var/lib/lxc web'], expected: 'lxc monitor' },
  {
    name: 'a server that calls itself docker-proxy',
    comm: 'docker-proxy',
    cmdline: ['docker-proxy'],
    exe: '/usr/local/bin/python3',
    expected: undefined,
  },
  {
    name: 'a server with conmon in its arguments',
    cmdline: ['python3', '/app/conmon'],
    exe: '/usr/bin/python3',
    expected: undefined,
  },
  {
    name: 'a program whose name only begins alike',
    cmdline: ['podman-compose'],
    exe: '/usr/bin/podman-compose',
    expected: undefined,
  },
];

for (const { name, comm = 'x', cmdline, exe, expected } of helpers) {
  t.test(`helper: ${name}`, (t) => {
    t.equal(helperKind({ comm, cmdline, exe }), expected);
    t.end();
  });
}
