import t from 'tap';
import type { Progress } from '../../src/reap/progress.ts';
import { releaseContainers } from '../../src/reap/release.ts';
import { containerId, idler, lookAt, runs, treeOf, until, type Said } from './world.ts';
import { exactly } from '../helpers/exactly.ts';

const step = (signal: string): { at: string; signal: string } => ({ at: '2026-01-02T03:04:05.678Z', signal });

t.test(
  'the runtime is asked once for each container that it still lists, and for nothing else',
  async (t) => {
    const container = { runtime: 'podman', id: containerId(), name: 'aidb' };
    const other = { runtime: 'podman', id: containerId(), name: 'webui' };
    const [one, two, three, orphan] = [await idler(t), await idler(t), await idler(t), await idler(t)];
    const said: Said[] = [
      { pid: one, verdict: 'suspect', reason: 'supervisor-dead', container },
      { pid: two, verdict: 'suspect', reason: 'supervisor-dead', container },
      { pid: three, verdict: 'suspect', reason: 'runtime-silent', container: other },
      { pid: orphan, reason: 'container-gone', container: { ...other, id: containerId() } },
    ];
    const tree = treeOf(t, said);
    const asked: (string | null | undefined)[] = [];
    const progress: Progress[] = [];
    await releaseContainers(
      tree,
      {
        release: (target) => {
          asked.push(target.container?.name);
          return Promise.resolve([step('podman stop'), step('podman rm')]);
        },
        onProgress: (each) => progress.push(each),
      },
      lookAt(() => said),
    );
    t.same(asked, ['aidb']);
    t.match(progress, exactly({ kind: 'released', steps: exactly('podman stop', 'podman rm'), error: null }));
    t.same(
      tree.actions().map(({ pid, steps }) => [pid, steps.map(({ signal }) => signal)]),
      [
        [one, ['podman stop', 'podman rm']],
        [two, ['podman stop', 'podman rm']],
        [three, []],
        [orphan, []],
      ],
    );
  },
);

t.test('what the runtime ended is terminated; what it let go of is an orphan, and still ours', async (t) => {
  const container = { runtime: 'podman', id: containerId(), name: 'aidb' };
  const [ended, left, alive] = [await idler(t), await idler(t), await idler(t)];
  const said: Said[] = [ended, left, alive].map((pid) => ({
    pid,
    verdict: 'suspect',
    reason: 'supervisor-dead',
    container,
  }));
  const tree = treeOf(t, said);
  await releaseContainers(
    tree,
    {
      release: async () => {
        process.kill(ended, 'SIGKILL');
        await until(() => !runs(ended));
        return [step('podman rm')];
      },
    },
    lookAt(() => [
      { pid: left, verdict: 'orphan', reason: 'container-gone', container },
      { pid: alive, verdict: 'container', reason: 'supervised', container, cause: 'podman started it' },
    ]),
  );
  t.same(
    tree.alive().map(({ pid }) => pid),
    [left],
  );
  t.match(
    tree.actions(),
    exactly(
      { pid: ended, outcome: 'terminated' },
      { pid: left, outcome: 'survived' },
      {
        pid: alive,
        outcome: 'refused',
        detail: /^verdict changed from suspect to container .*podman started it$/,
      },
    ),
  );
});

t.test('a runtime that fails leaves the processes to us', async (t) => {
  const container = { runtime: 'podman', id: containerId(), name: 'aidb' };
  const pid = await idler(t);
  const said: Said[] = [{ pid, verdict: 'suspect', reason: 'supervisor-dead', container }];
  const tree = treeOf(t, said);
  const progress: Progress[] = [];
  const release = (): Promise<never> => Promise.reject(new Error('podman: no answer'));
  await releaseContainers(
    tree,
    { release, onProgress: (each) => progress.push(each) },
    lookAt(() => said),
  );
  t.match(progress, exactly({ kind: 'released', steps: exactly(), error: 'podman: no answer' }));
  t.same(
    tree.alive().map((member) => member.pid),
    [pid],
  );
});

t.test('without a way to ask, or anything to ask for, nothing is looked at', async (t) => {
  const pid = await idler(t);
  const look = (): never => {
    throw new Error('looked');
  };
  const release = (): never => {
    throw new Error('asked');
  };
  await releaseContainers(treeOf(t, [{ pid, verdict: 'suspect', reason: 'supervisor-dead' }]), {}, look);
  await releaseContainers(treeOf(t, [{ pid, reason: 'container-exited' }]), { release }, look);
});
