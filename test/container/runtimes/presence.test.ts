import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Host } from '../../../src/container/runtimes/host.ts';
import { isPresent } from '../../../src/container/runtimes/presence.ts';
import type { RuntimeName } from '../../../src/model.ts';
import { hostTree } from '../../helpers/host-tree.ts';

const signs: [RuntimeName, { program?: string; path?: string; daemon?: string }][] = [
  ['podman', { program: '/usr/local/bin/podman' }],
  ['podman', { path: '/var/lib/containers/storage/' }],
  ['podman', { daemon: 'conmon' }],
  ['docker', { program: '/snap/bin/docker' }],
  ['docker', { path: '/var/run/docker.sock' }],
  ['docker', { daemon: 'dockerd' }],
  ['containerd', { path: '/run/containerd/' }],
  ['containerd', { daemon: 'containerd-shim' }],
  ['containerd', { program: '/usr/local/bin/k3s' }],
  ['crio', { program: '/usr/bin/crio' }],
  ['lxc', { path: '/var/lib/lxc/' }],
  ['libvirt-lxc', { daemon: 'libvirtd' }],
  ['nspawn', { program: '/usr/bin/systemd-nspawn' }],
];

for (const [runtime, { program, path, daemon }] of signs) {
  t.test(`${runtime} is here: ${program ?? path ?? daemon ?? ''}`, (t) => {
    const processes = daemon === undefined ? [] : [{ pid: 50, ppid: 1, cmdline: [daemon], comm: daemon }];
    const files = Object.fromEntries(
      [program, path].flatMap((each) => (each === undefined ? [] : [[each, '']])),
    );
    const tree = hostTree(t, processes, files);
    if (program !== undefined) chmodSync(join(tree.root, program), 0o755);
    t.ok(isPresent(new Host(tree.root, {}), tree.proc, runtime));
    t.end();
  });
}

t.test('on a bare host no runtime is here, but those that nobody knows the signs of', (t) => {
  const tree = hostTree(t, [{ pid: 50, ppid: 1, cmdline: ['bash'] }]);
  const host = new Host(tree.root, {});
  const all: RuntimeName[] = ['podman', 'docker', 'containerd', 'crio', 'lxc', 'libvirt-lxc', 'nspawn'];
  for (const runtime of all) t.notOk(isPresent(host, tree.proc, runtime), runtime);
  const nameless: RuntimeName[] = ['unknown', 'kubernetes-unknown', 'ecs', 'garden'];
  for (const runtime of nameless) t.ok(isPresent(host, tree.proc, runtime), runtime);
  t.end();
});
