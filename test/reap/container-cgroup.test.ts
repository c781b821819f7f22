import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseMountinfo } from '../../src/procfs/mountinfo.ts';
import { cgroupMembers, containerCgroups } from '../../src/reap/container-cgroup.ts';

const id = 'a1'.repeat(32);
const hybrid = parseMountinfo(`31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
37 31 0:34 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer
39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
`);
const pure = parseMountinfo('30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n');
const v2 = (path: string): object => ({ version: 'v2', directory: `/sys/fs/cgroup${path}` });

const cases: { name: string; text: string; container?: string; mounts?: typeof pure; want: object[] }[] = [
  {
    name: 'podman under systemd: the scope, not the /container that crun adds below it',
    text: `0::/machine.slice/libpod-${id}.scope/container\n`,
    want: [v2(`/machine.slice/libpod-${id}.scope`)],
  },
  {
    name: 'a pod’s slice carries another id and is not the container’s',
    text: `0::/machine.slice/machine-libpod_pod_${'b2'.repeat(32)}.slice/libpod-${id}.scope\n`,
    want: [v2(`/machine.slice/machine-libpod_pod_${'b2'.repeat(32)}.slice/libpod-${id}.scope`)],
  },
  {
    name: 'podman under cgroupfs',
    text: `0::/libpod_parent/libpod-${id}\n`,
    want: [v2(`/libpod_parent/libpod-${id}`)],
  },
  { name: 'docker', text: `0::/docker/${id}\n`, want: [v2(`/docker/${id}`)] },
  {
    name: 'quadlet’s payload',
    text: `0::/system.slice/web.service/libpod-payload-${id}\n`,
    want: [v2(`/system.slice/web.service/libpod-payload-${id}`)],
  },
  {
    name: 'containerd’s colons',
    text: `0::/kubepods.slice/pod1.slice:cri-containerd:${id}\n`,
    want: [v2(`/kubepods.slice/pod1.slice:cri-containerd:${id}`)],
  },
  {
    name: 'conmon’s own cgroup is not the container’s',
    text: `0::/machine.slice/libpod-conmon-${id}.scope\n`,
    want: [],
  },
  { name: 'a health check’s unit is not the container', text: `0::/system.slice/${id}.service\n`, want: [] },
  { name: 'a mount is not the container', text: `0::/system.slice/${id}.mount\n`, want: [] },
  { name: 'the root cgroup is nobody’s', text: '0::/\n', want: [] },
  { name: 'a cgroup that names another container', text: `0::/docker/${'c3'.repeat(32)}\n`, want: [] },
  { name: 'a longer name that ends in the id', text: `0::/docker/f${id}\n`, want: [] },
  { name: 'a cgroup outside our namespace', text: `0::/../docker/${id}\n`, want: [] },
  {
    name: 'a short id or a name is not unique enough',
    container: 'web',
    text: '0::/lxc.payload.web\n',
    want: [],
  },
  { name: 'an empty id', container: '', text: '0::/docker/\n', want: [] },
  {
    name: 'hybrid: v2 first, then the freezer; no other controller',
    mounts: hybrid,
    text: `6:freezer:/libpod_parent/libpod-${id}\n8:pids:/libpod_parent/libpod-${id}\n0::/libpod_parent/libpod-${id}\n`,
    want: [
      { version: 'v2', directory: `/sys/fs/cgroup/unified/libpod_parent/libpod-${id}` },
      { version: 'v1-freezer', directory: `/sys/fs/cgroup/freezer/libpod_parent/libpod-${id}` },
    ],
  },
  {
    name: 'v1: a freezer in the root and a name elsewhere give nothing to freeze',
    mounts: hybrid,
    text: `6:freezer:/\n8:pids:/docker/${id}\n0::/\n`,
    want: [],
  },
  {
    name: 'a freezer that shares its hierarchy with other controllers',
    mounts: parseMountinfo('37 31 0:34 / /sys/fs/cgroup/cpu,freezer rw - cgroup cgroup rw,cpu,freezer\n'),
    text: `3:cpu,freezer:/docker/${id}\n`,
    want: [{ version: 'v1-freezer', directory: `/sys/fs/cgroup/cpu,freezer/docker/${id}` }],
  },
  {
    name: 'a mount of a part of the tree',
    mounts: parseMountinfo('30 23 0:26 /docker /cg rw - cgroup2 cgroup2 rw\n'),
    text: `0::/docker/${id}\n`,
    want: [{ version: 'v2', directory: `/cg/${id}` }],
  },
  {
    name: 'a mount of another part of the tree',
    mounts: parseMountinfo('30 23 0:26 /dock /cg rw - cgroup2 cgroup2 rw\n'),
    text: `0::/docker/${id}\n`,
    want: [],
  },
];

for (const { name, text, container = id, mounts = pure, want } of cases) {
  t.test(name, (t) => {
    t.same(containerCgroups(text, container, mounts), want);
    t.end();
  });
}

t.test('members are read through all levels', (t) => {
  const directory = t.testdir({
    'cgroup.procs': '10\n11\n',
    container: { 'cgroup.procs': '12\n', deep: { 'cgroup.procs': '' } },
  });
  t.same(cgroupMembers(directory), [10, 11, 12]);
  t.end();
});

t.test('a level that can’t be read leaves nothing to rely on', (t) => {
  const directory = t.testdir({ 'cgroup.procs': '10\n', below: {} });
  t.equal(cgroupMembers(directory), undefined);
  t.equal(cgroupMembers(join(directory, 'missing')), undefined);
  t.end();
});

t.test('a process that our pid namespace does not show leaves nothing to rely on', (t) => {
  const directory = t.testdir({ 'cgroup.procs': '10\n', below: {} });
  mkdirSync(join(directory, 'below'), { recursive: true });
  writeFileSync(join(directory, 'below', 'cgroup.procs'), '0\n');
  t.equal(cgroupMembers(directory), undefined);
  t.end();
});
