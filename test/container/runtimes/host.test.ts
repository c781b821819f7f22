import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Host } from '../../../src/container/runtimes/host.ts';

const passwd = [
  'root:x:0:0:root:/root:/bin/bash',
  'alice:x:1000:1001:Alice,,,:/home/alice:/bin/bash',
  '# a comment',
  'broken:x:notanumber:1:x:/home/broken:/bin/sh',
  'bob:x:1001:1001::/data/homes/bob/:/bin/bash',
  'daemon:x:1:1::/:/usr/sbin/nologin',
].join('\n');
const subuid = ['alice:100000:65536', '1001:165536:65536', 'containers:2147483647:1000', 'nonsense'].join(
  '\n',
);

t.test('users are found by uid, by subordinate uid and by home', (t) => {
  const host = new Host(t.testdir({ etc: { passwd, subuid } }), {});
  t.strictSame(host.userByUid(1000), { name: 'alice', uid: 1000, gid: 1001, home: '/home/alice' });
  t.equal(host.userByUid(0)?.name, 'root');
  t.equal(host.userByUid(4242), undefined);
  t.match(host.userBySubUid(100999), { name: 'alice' });
  t.match(host.userBySubUid(165536), { name: 'bob' }, 'subuid may name a uid');
  t.equal(host.userBySubUid(165535 + 65537), undefined, 'one past the range');
  t.equal(host.userBySubUid(2147483700), 'nobody', 'a range without an account');
  t.match(host.userByHome('/home/alice/.local/share/x'), { name: 'alice' });
  t.match(host.userByHome('/data/homes/bob/x'), { name: 'bob' }, 'a home that ends in a slash');
  t.equal(host.userByHome('/home/alicex/y'), undefined, 'a home that only begins alike');
  t.equal(host.userByHome('/var/lib/x'), undefined, 'the home / is nobody’s');
  t.end();
});

t.test('without passwd and subuid there is root', (t) => {
  const host = new Host(t.testdir({}), {});
  t.equal(host.userByUid(0)?.home, '/root');
  t.equal(host.userBySubUid(100000), undefined);
  t.end();
});

t.test('a program is found in PATH and in the usual places, if it can be run', (t) => {
  const root = t.testdir({
    opt: { tools: { podman: '' } },
    usr: { bin: { docker: '', conmon: '', runc: {} } },
  });
  chmodSync(join(root, 'opt/tools/podman'), 0o755);
  chmodSync(join(root, 'usr/bin/docker'), 0o755);
  const host = new Host(root, { PATH: '/opt/tools:relative' });
  t.equal(host.program('podman'), join(root, 'opt/tools/podman'));
  t.equal(host.program('docker'), join(root, 'usr/bin/docker'));
  t.equal(host.program('conmon'), undefined, 'not executable');
  t.equal(host.program('runc'), undefined, 'a directory');
  t.equal(new Host(root, {}).program('podman'), undefined);
  t.end();
});

t.test('what is there is told from what is gone', (t) => {
  const host = new Host(t.testdir({ dir: { a: '', b: '' }, file: '' }), {});
  t.strictSame(host.list('/dir'), ['a', 'b']);
  t.equal(host.list('/none'), undefined);
  t.equal(host.list('/file'), undefined, 'no directory');
  t.ok(host.exists('/file'));
  t.notOk(host.exists('/file/x'));
  t.equal(host.ownerOf('/file'), process.getuid?.());
  t.equal(host.ownerOf('/none'), undefined);
  t.end();
});
