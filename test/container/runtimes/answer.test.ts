import t from 'tap';
import {
  mayBeOf,
  namedRoot,
  needsAsking,
  type Answer,
  type ContainerQuery,
} from '../../../src/container/runtimes/answer.ts';
import { hexId } from '../../helpers/host-tree.ts';

const source = { runtime: 'podman' as const, user: 'root', via: 'record' as const, source: 'x' };
const known = (state: 'running' | 'created' | 'exited' | undefined): Answer => ({
  ...source,
  result: 'known',
  id: hexId('a'),
  state,
  pid: undefined,
  name: undefined,
  labels: {},
  restartCount: undefined,
});

t.test('an engine is asked after a record that says running, or nothing', (t) => {
  t.ok(needsAsking(known('running'), false));
  t.ok(needsAsking(known(undefined), false));
  t.ok(needsAsking({ ...source, result: 'silent', reason: 'x' }, false));
  t.notOk(needsAsking(known('exited'), false));
  t.notOk(needsAsking(known('created'), false));
  t.notOk(needsAsking({ ...source, result: 'absent' }, false));
  t.ok(needsAsking(known('exited'), true), 'for labels, which records have not');
  t.notOk(needsAsking({ ...source, result: 'absent' }, true));
  t.end();
});

const stores: [driver: string | undefined, podman: boolean, docker: boolean][] = [
  ['overlay', true, false],
  ['overlay2', false, true],
  ['vfs', true, true],
  ['btrfs', true, true],
  ['overlayfs', false, true],
  [undefined, false, true],
];
for (const [driver, podman, docker] of stores) {
  t.test(`a store with the driver ${driver ?? 'unknown'}`, (t) => {
    const store = { root: '/x', driver, runRoot: undefined, layer: undefined };
    t.equal(mayBeOf('podman', store), podman, 'podman');
    t.equal(mayBeOf('docker', store), docker, 'docker');
    const query: ContainerQuery = {
      provenance: { runtime: 'podman', id: 'x', via: 'cgroup', store, evidence: [] },
      uid: 0,
      pids: [],
    };
    t.equal(namedRoot(query, 'podman'), podman ? '/x' : undefined);
    t.end();
  });
}

t.test('a store of which only the run root is known names no root', (t) => {
  const store = { root: '', driver: 'overlay', runRoot: '/run/x', layer: undefined };
  const query: ContainerQuery = {
    provenance: { runtime: 'podman', id: 'x', via: 'rootfs', store, evidence: [] },
    uid: 0,
    pids: [],
  };
  t.equal(namedRoot(query, 'podman'), undefined);
  t.end();
});
