import t from 'tap';
import type { Answer } from '../../../src/container/runtimes/answer.ts';
import { Host } from '../../../src/container/runtimes/host.ts';
import { Statuses } from '../../../src/container/runtimes/statuses.ts';
import { hostTree } from '../../helpers/host-tree.ts';
import { exactly } from '../../helpers/exactly.ts';

const answered = (user: string): Answer => ({
  runtime: 'podman',
  user,
  via: 'record',
  source: `store of ${user}`,
  result: 'absent',
});
const silent = (user: string): Answer => ({
  runtime: 'podman',
  user,
  via: 'record',
  source: 'x',
  result: 'silent',
  reason: 'EACCES',
});

t.test('who answered is available, and who once did not is not', (t) => {
  const tree = hostTree(t, []);
  const statuses = new Statuses(new Host(tree.root, {}), tree.proc);
  statuses.note([answered('root'), silent('alice')]);
  statuses.note([answered('alice')]);
  t.strictSame(statuses.all(), [
    { name: 'podman', user: 'root', available: true, reason: 'store of root' },
    { name: 'podman', user: 'alice', available: false, reason: 'EACCES' },
  ]);
  statuses.note([silent('root')]);
  t.equal(statuses.all()[0]?.available, false);
  t.end();
});

t.test('an engine whose record can’t be read is available when it answers itself', (t) => {
  const tree = hostTree(t, []);
  const statuses = new Statuses(new Host(tree.root, {}), tree.proc);
  statuses.note([silent('root'), { ...answered('root'), via: 'socket' }]);
  t.match(statuses.all(), exactly({ name: 'podman', available: true }));
  t.end();
});

t.test('what is installed and was not asked is there, too', (t) => {
  const tree = hostTree(t, [], { '/run/libpod/': '', '/var/lib/docker/containers/': '' });
  const statuses = new Statuses(new Host(tree.root, {}), tree.proc);
  t.match(
    statuses.all(),
    exactly(
      { name: 'podman', user: 'root', available: true, reason: 'installed, has no containers' },
      { name: 'docker', user: 'root', available: true, reason: '/var/lib/docker/containers' },
    ),
  );
  t.end();
});
