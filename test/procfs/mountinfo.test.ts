import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseMountinfo, readMountinfo } from '../../src/procfs/mountinfo.ts';
import { start } from './children.ts';
import { needs } from '../helpers/needs.ts';

const OVERLAY =
  '512 480 0:55 / / rw,relatime master:3 - overlay overlay rw,lowerdir=/var/lib/containers/storage/overlay/l/AB:/x,upperdir=/var/lib/containers/storage/overlay/0123/diff';

t.test('a container root is read with its store', (t) => {
  t.same(parseMountinfo(`${OVERLAY}\n`), [
    {
      id: 512,
      parent: 480,
      device: '0:55',
      root: '/',
      mountPoint: '/',
      fsType: 'overlay',
      source: 'overlay',
      superOptions: [
        'rw',
        'lowerdir=/var/lib/containers/storage/overlay/l/AB:/x',
        'upperdir=/var/lib/containers/storage/overlay/0123/diff',
      ],
    },
  ]);
  t.end();
});

const mounts: [string, string, object][] = [
  ['no optional field', '1 2 8:1 / /a rw - ext4 /dev/sda rw', { fsType: 'ext4', mountPoint: '/a' }],
  [
    'several optional fields',
    '1 2 8:1 / /a rw shared:1 master:2 propagate_from:3 unbindable - ext4 /dev/sda rw',
    { fsType: 'ext4', source: '/dev/sda' },
  ],
  [
    'escaped spaces and tabs',
    String.raw`1 2 8:1 /a\040b /c\011d rw - ext4 /dev/x\040y rw`,
    {
      root: '/a b',
      mountPoint: '/c\td',
      source: '/dev/x y',
    },
  ],
  ['an escaped newline', String.raw`1 2 8:1 / /a\012b rw - ext4 x rw`, { mountPoint: '/a\nb' }],
  [
    'an escaped backslash before digits',
    String.raw`1 2 8:1 / /a\134040b rw - ext4 x rw`,
    {
      mountPoint: String.raw`/a\040b`,
    },
  ],
  ['a separator as name', String.raw`1 2 8:1 /- /- rw shared:1 - ext4 - rw`, { root: '/-', source: '-' }],
  [
    'an escaped comma in an option',
    String.raw`1 2 0:5 / / rw - overlay overlay rw,upperdir=/a\054b,index=off`,
    {
      superOptions: ['rw', 'upperdir=/a,b', 'index=off'],
    },
  ],
  ['an empty source', '1 2 0:5 / /a rw - tmpfs  rw,size=4k', { source: '', superOptions: ['rw', 'size=4k'] }],
  [
    'a directory that was removed',
    '1 2 8:1 /var/lib/containers/storage/vfs/dir/0123//deleted / rw - ext4 /dev/sda rw',
    { root: '/var/lib/containers/storage/vfs/dir/0123', deleted: true },
  ],
  ['a directory that only is called so', '1 2 8:1 /x/deleted /a rw - ext4 x rw', { root: '/x/deleted' }],
];
for (const [name, line, expected] of mounts) {
  t.test(`a mount with ${name} is read whole`, (t) => {
    const [mount, ...others] = parseMountinfo(`${line}\n`);
    t.match(mount, expected);
    t.equal('deleted' in (mount ?? {}), 'deleted' in expected);
    t.same(others, []);
    t.end();
  });
}

t.test('a line that is none hides no other', (t) => {
  const text = [
    '',
    'x',
    '1 2 8:1 / /a rw',
    '1 2 8:1 / /a rw ext4 x rw',
    'x 2 8:1 / /a rw - e x rw',
    '1 2 8:1 / /a rw - ext4',
    OVERLAY,
  ];
  t.same(
    parseMountinfo(text.join('\n')).map((mount) => mount.id),
    [512],
  );
  t.end();
});

t.test("every line of this process's own file is understood", (t) => {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n');
  const mounts = readMountinfo({ root: '/proc' }, process.pid) ?? [];
  t.equal(mounts.length, lines.length);
  t.ok(mounts.some((mount) => mount.mountPoint === '/'));
  t.end();
});

t.test('real mounts with hostile names are read as they were made', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const directory = t.testdir({ 'a b\tc\nd\\040e': {}, gone: {}, target: {}, other: {} });
  // In a mount namespace of its own: nothing of it is left on the host.
  const script = `cd "$1" && mount -t tmpfs 'x y' "$2" && mkdir "$2/gone" && mount --bind "$2/gone" target &&
    rmdir "$2/gone" && echo ready && exec sleep 1000`;
  const name = 'a b\tc\nd\\040e';
  const { pid } = await start(t, 'unshare', ['--mount', 'sh', '-c', script, 'sh', directory, name]);
  const mounts = readMountinfo({ root: '/proc' }, pid) ?? [];
  t.match(
    mounts.find((mount) => mount.mountPoint === `${directory}/${name}`),
    { fsType: 'tmpfs', source: 'x y', root: '/' },
  );
  t.match(
    mounts.find((mount) => mount.mountPoint === `${directory}/target`),
    { fsType: 'tmpfs', root: '/gone', deleted: true },
  );
});

t.test('a process that has gone is undefined, not one without mounts', (t) => {
  t.equal(readMountinfo({ root: t.testdir({}) }, 7), undefined);
  t.end();
});
