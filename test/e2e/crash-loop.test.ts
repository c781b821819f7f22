import t from 'tap';
import { writeConfig } from '../helpers/lab/config.ts';
import { views, privateHost, type Host } from '../helpers/lab/host.ts';
import { hostKinds, openHost } from '../helpers/lab/hosts.ts';
import { clean, judged, outcome } from '../helpers/lab/orphand.ts';
import {
  currentLife,
  restartAgainstItself,
  restartCount,
  rootPodman,
  startContainer,
  stateOf,
  type Container,
  type Podman,
} from '../helpers/lab/podman.ts';
import { lives, processOf, processRunning, treeOf } from '../helpers/lab/processes.ts';
import { addUser, logOut, rootlessPodman } from '../helpers/lab/rootless.ts';
import { httpd } from '../helpers/lab/server.ts';
import { served, serves } from '../helpers/lab/serving.ts';
import { aged, until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';

const port = 18191;
const elsewhere = 18192;
const inside = 18194;
/** Serves the watched port, or another one where that is taken. */
const flexible = ['sh', '-c', `${httpd(port).join(' ')} || exec ${httpd(elsewhere).join(' ')}`];

/**
 * Returns while podman restarts the container again and again. With systemd's cgroups each restart takes half a minute,
 * in which podman answers nobody: it waits for systemd to stop the scope that the old life is in.
 */
async function looping(podman: Podman, { id }: Container): Promise<void> {
  const scope = ['systemctl', 'show', '--property=ActiveState', `libpod-${id}.scope`];
  await until('the crash loop', async () =>
    podman.host.name === 'systemd'
      ? (await podman.host.ok(scope)) === 'ActiveState=deactivating'
      : (await restartCount(podman, 'loop')) >= 3,
  );
}
const running = (podman: Podman) =>
  until('the container to be up', async () => (await stateOf(podman, 'loop')) === 'running');
const neighbour = (podman: Podman) => startContainer(podman, 'neighbour', [], httpd(18193));
const watch = (host: Host) => writeConfig(host, { ports: [port, elsewhere, inside, 18193] });

for (const kind of hostKinds()) {
  t.test(`rootful: the old life goes, podman's next restart comes up (${kind})`, async (t) => {
    if (!needs(t, 'root', 'podman', 'runc', 'unshare', 'nspawn')) return;
    const host = await openHost(t, kind);
    const podman = await rootPodman(host);
    const old = await startContainer(podman, 'loop', ['--restart=always'], httpd(port));
    await served(host, port);
    if (!(await restartAgainstItself(podman, old))) {
      const { code, report } = await clean(host, watch(host));
      t.match(judged(report.scan, old.init), /^orphan /, 'no loop comes about: podman could not start it');
      t.notOk(lives(host, old.init), 'the old life has gone');
      t.equal(code, 0);
      await podman('start', old.name);
      await served(host, port);
      return;
    }
    await looping(podman, old);
    const live = await neighbour(podman);
    await served(host, 18193);

    const { code, report } = await clean(host, watch(host));
    t.match(judged(report.scan, old.init), /^orphan (previous-instance|container-exited)$/);
    t.notOk(lives(host, old.init), 'the old life has gone');
    t.strictSame(
      report.actions.map(({ pid }) => pid),
      [old.init.pid],
      'it was the only target',
    );
    await running(podman);
    await served(host, port);
    const now = await currentLife(podman, 'loop');
    const restarts = await restartCount(podman, 'loop');
    t.ok(lives(host, now.init) && lives(host, now.conmon), 'the new life lives');
    t.equal(now.id, old.id, 'it is the same container');
    t.equal(code, 0, 'a container that comes back is success');
    t.ok(lives(host, live.init) && lives(host, live.conmon), 'another container lives');
    const again = await clean(host, watch(host));
    t.strictSame(again.report.actions, [], 'nothing more is done');
    t.equal(again.code, 0);
    t.equal(await restartCount(podman, 'loop'), restarts, 'and it has not crashed since');
  });

  t.test(`rootful: a second life that listens elsewhere in the same cgroup lives on (${kind})`, async (t) => {
    if (!needs(t, 'root', 'podman', 'runc', 'unshare', 'nspawn')) return;
    const host = await openHost(t, kind);
    const podman = await rootPodman(host);
    const old = await startContainer(podman, 'loop', ['--restart=always'], flexible);
    await served(host, port);
    const tree = await treeOf(host, old.init.pid, 2);
    if (!(await restartAgainstItself(podman, old))) {
      t.pass('the runtime starts nothing beside an old life');
      return;
    }
    await served(host, elsewhere);
    const second = await currentLife(podman, 'loop');
    // No conmon of its own, the same cgroup as the old life: only what it shares with the second life tells.
    await host.ok(['runc', 'exec', '-d', second.id, ...httpd(inside)]);
    await served(host, inside);
    const session = await processRunning(host, httpd(inside));

    const { code, report } = await clean(host, watch(host));
    for (const one of tree) {
      t.equal(judged(report.scan, one), 'orphan previous-instance');
      t.notOk(lives(host, one), `${one.pid} of the old life has gone`);
    }
    t.equal(judged(report.scan, second.init), 'container supervised');
    t.ok(lives(host, second.init) && lives(host, second.conmon), 'the second life lives');
    t.equal(outcome(report, second.init), undefined, 'and was no target');
    t.ok(lives(host, session), 'and what was started in it');
    t.strictSame(report.actions.length, tree.length);
    t.ok(await serves(host, elsewhere), 'and serves');
    t.notOk(await serves(host, port), 'the old port is free');
    t.equal(await restartCount(podman, 'loop'), 0, 'podman had no need to restart it');
    t.equal(code, 0);
  });
}

for (const view of views()) {
  t.test(
    `rootless: after a logout the old life and its conmon go, the next restart comes up (${view})`,
    async (t) => {
      if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
      const host = await privateHost(t, view);
      const user = await addUser(host);
      const podman = await rootlessPodman(host, user);
      const old = await startContainer(podman, 'loop', ['--restart=always'], httpd(port));
      await served(host, port);
      await aged(old.conmon);
      await logOut(host, user);
      await podman('start', 'loop');
      const live = await neighbour(podman);
      await served(host, 18193);
      await looping(podman, old);

      const { code, report } = await clean(host, watch(host));
      t.equal(judged(report.scan, old.init), 'orphan superseded-instance');
      t.notOk(lives(host, old.init), 'the old life has gone');
      t.notOk(lives(host, old.conmon), 'and its conmon');
      t.strictSame(
        new Set(report.actions.map(({ pid }) => pid)),
        new Set([old.conmon.pid, old.init.pid]),
        'these were the only targets',
      );
      t.equal(report.actions[0]?.pid, old.conmon.pid, 'conmon first, so that its exit command does not run');
      await running(podman);
      await served(host, port);
      const now = await currentLife(podman, 'loop');
      t.ok(lives(host, now.init) && lives(host, now.conmon), 'the new life lives');
      t.equal(code, 0, 'a container that comes back is success');
      t.ok(lives(host, live.init) && lives(host, live.conmon), 'another container of the user lives');
      t.strictSame((await clean(host, watch(host))).report.actions, [], 'nothing more is done');
    },
  );

  t.test(
    `rootless: a second life that listens elsewhere lives on, an exec session too (${view})`,
    async (t) => {
      if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
      const host = await privateHost(t, view);
      const user = await addUser(host);
      const podman = await rootlessPodman(host, user);
      const old = await startContainer(podman, 'loop', ['--restart=always'], flexible);
      await served(host, port);
      const tree = await treeOf(host, old.init.pid, 2);
      await aged(old.conmon);
      await logOut(host, user);
      await podman('start', 'loop');
      await served(host, elsewhere);
      const second = await currentLife(podman, 'loop');
      await podman('exec', '-d', 'loop', ...httpd(18193));
      await served(host, 18193);
      const session = await treeOf(host, second.init.pid, 2);

      const { code, report } = await clean(host, watch(host));
      for (const one of [...tree, old.conmon]) {
        t.equal(judged(report.scan, one), 'orphan superseded-instance');
        t.notOk(lives(host, one), `${one.pid} of the old life has gone`);
      }
      t.ok(
        [...session, second.conmon].every((one) => lives(host, one)),
        'the second life lives',
      );
      t.equal(report.actions.length, tree.length + 1, 'nothing else was a target');
      t.equal(
        (await currentLife(podman, 'loop')).init.pid,
        second.init.pid,
        'podman has the same life on record',
      );
      t.ok((await serves(host, elsewhere)) && (await serves(host, 18193)), 'and it serves');
      t.notOk(await serves(host, port), 'the old port is free');
      t.equal(processOf(host, second.init.pid).startTime, second.init.startTime);
      t.equal(code, 0);
    },
  );
}
