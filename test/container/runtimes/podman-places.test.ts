import t from 'tap';
import { Host, rootUser } from '../../../src/container/runtimes/host.ts';
import { defaultPlaces, namedPlace } from '../../../src/container/runtimes/podman-places.ts';
import type { ContainerStore } from '../../../src/model.ts';
import { exactly } from '../../helpers/exactly.ts';

const alice = { name: 'alice', uid: 1000, gid: 1000, home: '/home/alice' };
const usual = '/var/lib/containers/storage';
const store = (root: string, more: Partial<ContainerStore> = {}): ContainerStore => ({
  root,
  driver: 'overlay',
  runRoot: undefined,
  layer: undefined,
  ...more,
});

t.test('root’s store', (t) => {
  const [place, ...more] = defaultPlaces(new Host(t.testdir({}), {}), rootUser);
  t.match(place, {
    root: usual,
    runRoots: exactly('/run/containers/storage'),
    exitDirectories: exactly('/run/libpod/exits'),
    aliveFiles: exactly('/run/libpod/alive'),
  });
  t.strictSame(more, []);
  t.end();
});

t.test('a user’s store, with and without a run-time directory', (t) => {
  const [place] = defaultPlaces(new Host(t.testdir({}), {}), alice);
  t.equal(place?.root, '/home/alice/.local/share/containers/storage');
  t.strictSame(place?.runRoots, [
    '/run/user/1000/containers',
    '/tmp/podman-run-1000/containers',
    '/tmp/storage-run-1000/containers',
  ]);
  t.ok(place?.aliveFiles?.includes('/run/user/1000/libpod/tmp/alive'));
  t.end();
});

t.test('storage.conf moves root’s store and run root, and leaves a user’s alone', (t) => {
  const conf = [
    '[storage]',
    '# graphroot = "/commented"',
    '  graphroot = "/data/containers/" # a comment',
    "runroot='/run/data'",
    'driver = "overlay"',
    '[storage.options]',
    'graphroot_extra = "/no"',
  ].join('\n');
  const host = new Host(t.testdir({ etc: { containers: { 'storage.conf': conf } } }), {});
  const places = defaultPlaces(host, rootUser);
  t.strictSame(
    places.map(({ root }) => root),
    ['/data/containers', usual],
    'the usual place may still hold what was made before',
  );
  t.strictSame(places[0]?.runRoots, ['/run/data', '/run/containers/storage']);
  t.strictSame(
    defaultPlaces(host, alice).map(({ root }) => root),
    ['/home/alice/.local/share/containers/storage'],
  );
  t.end();
});

t.test('a user’s own storage.conf, and the system’s rootless_storage_path', (t) => {
  const host = new Host(
    t.testdir({
      etc: { containers: { 'storage.conf': 'rootless_storage_path = "/scratch/$USER-$UID/storage"' } },
      home: {
        alice: {
          '.config': { containers: { 'storage.conf': 'graphroot = "$HOME/big"\nrunroot = "/run/alice"' } },
        },
      },
    }),
    {},
  );
  const places = defaultPlaces(host, alice);
  t.strictSame(
    places.map(({ root }) => root),
    ['/scratch/alice-1000/storage', '/home/alice/big', '/home/alice/.local/share/containers/storage'],
  );
  t.equal(places[0]?.runRoots[0], '/run/alice');
  t.end();
});

t.test('a store that a mount names belongs to the owner of its directory', (t) => {
  const host = new Host(t.testdir({ srv: { store: {} } }), {});
  const place = namedPlace(host, store('/srv/store', { runRoot: '/srv/run' }));
  t.match(place, {
    root: '/srv/store',
    driver: 'overlay',
    runRoots: exactly('/srv/run'),
    aliveFiles: undefined,
  });
  t.equal(place?.user.uid, process.getuid?.());
  t.end();
});

t.test('of a store of somebody’s own without a run root nothing is known of its instances', (t) => {
  const host = new Host(t.testdir({ srv: { store: {} } }), {});
  t.strictSame(namedPlace(host, store('/srv/store'))?.runRoots, []);
  t.end();
});

t.test(
  'the usual store has the usual run root',
  { skip: process.getuid?.() !== 0 && 'files must be root’s' },
  (t) => {
    const host = new Host(t.testdir({ var: { lib: { containers: { storage: {} } } } }), {});
    const place = namedPlace(host, store(usual));
    t.strictSame(place?.runRoots, ['/run/containers/storage']);
    t.strictSame(place?.aliveFiles, ['/run/libpod/alive']);
    t.end();
  },
);

t.test('a store that is not on this host is no place', (t) => {
  t.equal(namedPlace(new Host(t.testdir({}), {}), store('/srv/store')), undefined);
  t.end();
});
