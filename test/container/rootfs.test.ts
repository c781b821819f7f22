import t from 'tap';
import { containerFromMounts, isOnHost } from '../../src/container/rootfs.ts';
import { parseMountinfo } from '../../src/procfs/mountinfo.ts';
import { hexId } from '../helpers/host-tree.ts';

const id = hexId('3');
const layer = hexId('a');
const other = hexId('e');

const host = [
  '29 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
  '30 29 0:25 / /run rw shared:2 - tmpfs tmpfs rw',
  '31 30 0:60 / /run/user/1000 rw - tmpfs tmpfs rw',
  '32 29 254:16 / /home rw - ext4 /dev/vdb rw',
].join('\n');

const overlay = (upper: string, mountId = 75): string =>
  `${mountId} 48 0:40 / / rw,relatime - overlay overlay rw,lowerdir=/x/l/AB,upperdir=${upper},workdir=/x/work`;
const fuse = '75 48 0:41 / / rw - fuse.fuse-overlayfs fuse-overlayfs rw,user_id=0';
const podmanRoot = overlay(`/var/lib/containers/storage/overlay/${layer}/diff`);
const dockerRoot = overlay(`/var/lib/docker/overlay2/${layer}/diff`);
const bound = (device: string, path: string, point: string): string =>
  `83 75 ${device} ${path} ${point} rw,relatime - ext4 /dev/vda rw`;
const userdata = (runRoot: string, of = id): string => `${runRoot}/overlay-containers/${of}/userdata`;

interface Expected {
  runtime: string;
  id?: string;
  root: string;
  driver?: string;
  runRoot?: string;
  layer?: string;
}

const cases: { name: string; mounts: string[]; host?: string; expected: Expected | undefined }[] = [
  {
    name: 'podman overlay, with .containerenv removed since, as seen here',
    mounts: [
      podmanRoot,
      bound('254:0', `${userdata('/run/containers/storage')}/.containerenv//deleted`, '/run/.containerenv'),
    ],
    expected: {
      runtime: 'podman',
      id,
      root: '/var/lib/containers/storage',
      driver: 'overlay',
      runRoot: '/run/containers/storage',
      layer,
    },
  },
  {
    name: 'a run root on a tmpfs is where the host has that tmpfs',
    mounts: [
      podmanRoot,
      bound('0:25', `${userdata('/containers/storage')}/.containerenv`, '/run/.containerenv'),
    ],
    expected: {
      runtime: 'podman',
      id,
      root: '/var/lib/containers/storage',
      driver: 'overlay',
      runRoot: '/run/containers/storage',
      layer,
    },
  },
  {
    name: 'after a logout the tmpfs of the run root is on no mount of the host: the id is known, the run root is not',
    mounts: [fuse, bound('0:99', `${userdata('/containers')}/.containerenv//deleted`, '/run/.containerenv')],
    expected: { runtime: 'podman', id, root: '', driver: 'overlay' },
  },
  {
    name: 'fuse-overlayfs shows no upperdir: .containerenv names the container',
    mounts: [fuse, bound('0:60', `${userdata('/containers')}/.containerenv`, '/run/.containerenv')],
    expected: { runtime: 'podman', id, root: '', driver: 'overlay', runRoot: '/run/user/1000/containers' },
  },
  {
    name: 'podman without .containerenv is known by its layer',
    mounts: [podmanRoot],
    expected: { runtime: 'podman', root: '/var/lib/containers/storage', driver: 'overlay', layer },
  },
  {
    name: 'hosts and resolv.conf of a pod are its infra container’s: no id from them',
    mounts: [podmanRoot, bound('0:25', `${userdata('/containers/storage', other)}/hosts`, '/etc/hosts')],
    expected: {
      runtime: 'podman',
      root: '/var/lib/containers/storage',
      driver: 'overlay',
      runRoot: '/run/containers/storage',
      layer,
    },
  },
  {
    name: '--rootfs PATH:O has its upper directory in the container’s own',
    mounts: [overlay(`/var/lib/containers/storage/overlay-containers/${id}/rootfs/overlay/7/upper`)],
    expected: { runtime: 'podman', id, root: '/var/lib/containers/storage', driver: 'overlay' },
  },
  {
    name: 'vfs of a rootless user, on a device of its own',
    mounts: [`75 48 254:16 /alice/.local/share/containers/storage/vfs/dir/${layer} / rw - ext4 /dev/vdb rw`],
    expected: {
      runtime: 'podman',
      root: '/home/alice/.local/share/containers/storage',
      driver: 'vfs',
      layer,
    },
  },
  {
    name: 'vfs of docker is told by its directory',
    mounts: [`75 48 254:0 /var/lib/docker/vfs/dir/${layer} / rw - ext4 /dev/vda rw`],
    expected: { runtime: 'docker', root: '/var/lib/docker', driver: 'vfs', layer },
  },
  {
    name: 'vfs of a docker in any directory is told by the files that docker binds, which give no id while the layer is known',
    mounts: [
      `75 48 254:0 /srv/engine/vfs/dir/${layer} / rw - ext4 /dev/vda rw`,
      bound('254:0', `/srv/engine/containers/${id}/hosts`, '/etc/hosts'),
    ],
    expected: { runtime: 'docker', root: '/srv/engine', driver: 'vfs', layer },
  },
  {
    name: 'btrfs subvolume',
    mounts: [`75 48 254:0 /var/lib/containers/storage/btrfs/subvolumes/${layer} / rw - btrfs /dev/vda rw`],
    expected: { runtime: 'podman', root: '/var/lib/containers/storage', driver: 'btrfs', layer },
  },
  {
    name: 'docker overlay2; with --network container:ID its hosts file is another container’s, so that the id is left open',
    mounts: [dockerRoot, bound('254:0', `/var/lib/docker/containers/${other}/hosts`, '/etc/hosts')],
    expected: { runtime: 'docker', root: '/var/lib/docker', driver: 'overlay2', layer },
  },
  {
    name: 'docker with user namespaces has its store in DATA/UID.GID',
    mounts: [overlay(`/var/lib/docker/100000.100000/overlay2/${layer}/diff`)],
    expected: { runtime: 'docker', root: '/var/lib/docker/100000.100000', driver: 'overlay2', layer },
  },
  {
    name: 'docker on fuse-overlayfs is known by the files that it binds',
    mounts: [fuse, bound('254:16', `/alice/.local/share/docker/containers/${id}/hostname`, '/etc/hostname')],
    expected: { runtime: 'docker', id, root: '/home/alice/.local/share/docker' },
  },
  {
    name: 'docker’s files on a device that the host has nowhere lead to no data root',
    mounts: [fuse, bound('0:99', `/docker/containers/${id}/hostname`, '/etc/hostname')],
    expected: undefined,
  },
  {
    name: 'of two mounts of the device the nearer one counts',
    host: `${host}\n40 29 254:0 /data/docker /var/lib/docker rw - ext4 /dev/vda rw`,
    mounts: [fuse, bound('254:0', `/data/docker/containers/${id}/hostname`, '/etc/hostname')],
    expected: { runtime: 'docker', id, root: '/var/lib/docker' },
  },
  {
    name: 'a directory whose name only begins alike is not the one that is mounted',
    host: `${host}\n40 29 254:0 /run/cont /x rw - ext4 /dev/vda rw`,
    mounts: [
      podmanRoot,
      bound('254:0', `${userdata('/run/containers/storage')}/.containerenv`, '/run/.containerenv'),
    ],
    expected: {
      runtime: 'podman',
      id,
      root: '/var/lib/containers/storage',
      driver: 'overlay',
      runRoot: '/run/containers/storage',
      layer,
    },
  },
  {
    name: 'containerd’s snapshots',
    mounts: [overlay('/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/42/fs')],
    expected: { runtime: 'containerd', root: '/var/lib/containerd', driver: 'overlayfs', layer: '42' },
  },
  {
    name: 'docker with containerd’s image store: the record is in docker’s data root',
    mounts: [
      overlay('/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/42/fs'),
      bound('254:0', `/var/lib/docker/containers/${id}/hosts`, '/etc/hosts'),
    ],
    expected: { runtime: 'docker', id, root: '/var/lib/docker', driver: 'overlayfs', layer: '42' },
  },
  {
    name: 'where the root mount and a bound file disagree, the root mount wins',
    mounts: [podmanRoot, bound('254:0', `/var/lib/docker/containers/${other}/hosts`, '/etc/hosts')],
    expected: { runtime: 'podman', root: '/var/lib/containers/storage', driver: 'overlay', layer },
  },
  {
    name: 'the mount on top counts, not one that it hides',
    mounts: [
      podmanRoot,
      bound('0:25', `${userdata('/containers/storage', other)}/.containerenv`, '/run/.containerenv'),
      bound('0:25', `${userdata('/containers/storage')}/.containerenv`, '/run/.containerenv'),
    ],
    expected: {
      runtime: 'podman',
      id,
      root: '/var/lib/containers/storage',
      driver: 'overlay',
      runRoot: '/run/containers/storage',
      layer,
    },
  },
  {
    name: 'a host process in a mount namespace of its own is none (PrivateTmp=)',
    mounts: ['175 1 254:0 / / rw - ext4 /dev/vda rw', '176 175 0:70 / /tmp rw - tmpfs tmpfs rw'],
    expected: undefined,
  },
  {
    name: 'a host whose own / is an overlay is no container',
    host: overlay('/run/live/overlay/rw', 29),
    mounts: [overlay('/run/live/overlay/rw', 175)],
    expected: undefined,
  },
  {
    name: 'inside a toolbox, whose own / is a podman layer, the toolbox’s processes are the host’s',
    host: overlay(`/var/lib/containers/storage/overlay/${layer}/diff`, 29),
    mounts: [overlay(`/var/lib/containers/storage/overlay/${layer}/diff`, 175)],
    expected: undefined,
  },
  {
    name: 'a person’s chroot into `podman mount` has one of the host’s mounts as its root',
    host: `${host}\n${overlay(`/var/lib/containers/storage/overlay/${layer}/diff`, 140).replace(' / / ', ' / /merged ')}`,
    mounts: [overlay(`/var/lib/containers/storage/overlay/${layer}/diff`, 140)],
    expected: undefined,
  },
  {
    name: 'a service with RootDirectory= is none',
    mounts: ['175 1 254:0 /srv/chroot / rw - ext4 /dev/vda rw'],
    expected: undefined,
  },
  {
    name: 'a service with RootDirectory= and a hosts file of its own is none',
    mounts: ['175 1 254:0 /srv/chroot / rw - ext4 /dev/vda rw', bound('254:0', '/etc/hosts', '/etc/hosts')],
    expected: undefined,
  },
  {
    name: 'a host process with a container’s hosts file bound somewhere is none',
    mounts: [
      '175 1 254:0 / / rw - ext4 /dev/vda rw',
      bound('254:0', `/var/lib/docker/containers/${id}/hosts`, '/etc/hosts'),
    ],
    expected: undefined,
  },
  {
    name: 'a container’s file bound at any other point says nothing',
    mounts: [fuse, bound('254:0', `/var/lib/docker/containers/${id}/hosts`, '/mnt/hosts')],
    expected: undefined,
  },
  {
    name: 'a file of another name at the point says nothing',
    mounts: [fuse, bound('254:0', `/var/lib/docker/containers/${id}/hostname`, '/etc/hosts')],
    expected: undefined,
  },
  {
    name: 'an upperdir that only looks alike is none',
    mounts: [overlay('/srv/overlay/work/diff')],
    expected: undefined,
  },
  {
    name: 'a sandbox on a tmpfs (bubblewrap) is none',
    mounts: ['75 48 0:50 /newroot / rw - tmpfs tmpfs rw'],
    expected: undefined,
  },
  { name: 'no mounts, no container', mounts: [], expected: undefined },
  {
    name: 'without the host’s mounts nothing can be told apart from them',
    host: '',
    mounts: [podmanRoot],
    expected: undefined,
  },
];

for (const { name, mounts, expected, host: hostText = host } of cases) {
  t.test(name, (t) => {
    const found = containerFromMounts(parseMountinfo(mounts.join('\n')), parseMountinfo(hostText));
    if (expected === undefined) {
      t.equal(found, undefined);
    } else {
      const { runtime, id, ...store } = expected;
      t.strictSame(
        [found?.runtime, found?.id, found?.store],
        [runtime, id, { driver: undefined, runRoot: undefined, layer: undefined, ...store }],
      );
      t.equal(found?.via, 'rootfs');
      t.ok(found?.evidence.length);
    }
    t.end();
  });
}

t.test('a process sees the host’s file system by device and directory, or by the mount itself', (t) => {
  const mounts = parseMountinfo(host);
  t.ok(isOnHost(parseMountinfo('900 1 254:0 / / rw - ext4 /dev/vda rw'), mounts));
  t.notOk(isOnHost(parseMountinfo('900 1 254:0 /srv / rw - ext4 /dev/vda rw'), mounts));
  t.ok(isOnHost(parseMountinfo('30 1 0:25 /x / rw - tmpfs tmpfs rw'), mounts));
  t.end();
});
