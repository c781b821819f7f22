/** Real containers of a user's podman, whose cgroup says nothing: mounts, records and the user's own podman must do. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { privateHost } from '../helpers/lab/host.ts';
import { currentLife, killConmon, makePodmanForget, startContainer, stateOf } from '../helpers/lab/podman.ts';
import { freePort } from '../helpers/lab/ports.ts';
import { lives } from '../helpers/lab/processes.ts';
import { addUser, logOut, rootlessPodman } from '../helpers/lab/rootless.ts';
import { httpd } from '../helpers/lab/server.ts';
import { served } from '../helpers/lab/serving.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';
import { openProbe } from '../helpers/probe.ts';
import { exactly } from '../helpers/exactly.ts';

t.test('a user’s podman', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const user = await addUser(host);
  const podman = await rootlessPodman(host, user);
  const probe = await openProbe(host);
  const uid = 0;

  await t.test('a healthy container is known by its mounts', async (t) => {
    const port = await freePort();
    const web = await startContainer(podman, 'healthy', ['--label', 'stack=ai'], httpd(port));
    const found = await probe.look(web.init.pid);
    t.match(found.mounts, { runtime: 'podman', id: web.id });
    t.match(found.supervisors, exactly({ pid: web.conmon.pid, containerId: web.id, superseded: undefined }));
    t.match(found.view, { state: 'running', pid: web.init.pid, name: 'healthy' });
    t.match(found.statuses[0], { name: 'podman', user: user.name, available: true });

    const asked = await probe.look(web.init.pid, { cli: true, labels: true });
    t.match(asked.view, { state: 'running', labels: { stack: 'ai' } }, 'as root, through the user’s podman');
    t.ok(asked.view?.evidence.some(({ fact }) => fact === `podman of ${user.name} (cli)`));
    const own = await probe.look(web.init.pid, { user: user.name, cli: true, labels: true });
    t.match(own.view, { state: 'running', labels: { stack: 'ai' } }, 'as the user');
  });

  await t.test('without conmon, and released by the user’s podman', async (t) => {
    const port = await freePort();
    const web = await startContainer(podman, 'conmonless', [], httpd(port));
    await killConmon(podman, web);
    const found = await probe.look(web.init.pid, { cli: true });
    t.strictSame(found.supervisors, []);
    t.match(found.view, { state: 'running', pid: web.init.pid, name: 'conmonless' });
    const container = { runtime: 'podman', id: web.id, name: 'conmonless' };
    const released = await probe.release({ container, uid, store: found.mounts?.store, stopSeconds: 1 });
    t.match(released, { released: true });
    t.equal(await stateOf(podman, 'conmonless'), undefined);
    t.notOk(lives(host, web.init));
  });

  await t.test('podman has forgotten the container', async (t) => {
    const port = await freePort();
    const web = await startContainer(podman, 'forgotten', [], httpd(port));
    await makePodmanForget(podman, web);
    t.match((await probe.look(web.init.pid)).view, { state: 'absent' });
    t.ok(lives(host, web.init), 'the process runs on');
  });

  await t.test('after a logout the old conmon is superseded by the one of the restarts', async (t) => {
    const port = await freePort();
    const web = await startContainer(podman, 'loop', ['--restart=always'], httpd(port));
    await served(host, port);
    await until('conmon of some age', () => {
      const uptime = Number(readFileSync(host.path('/proc/uptime'), 'utf8').split(' ')[0]);
      return uptime * 100 - web.conmon.startTime > 250;
    });
    t.equal((await probe.look(web.init.pid)).supervisors[0]?.superseded, undefined, 'not before');
    await logOut(host, user);
    t.equal(
      (await probe.look(web.init.pid)).supervisors[0]?.superseded,
      undefined,
      'not while nothing else runs',
    );
    await podman('start', 'loop');
    await until('a life that could not bind', async () => {
      const [count] = [await podman('inspect', 'loop', '--format', '{{.RestartCount}}')];
      return Number(count) > 1;
    });
    for (let round = 0; round < 5; round++) {
      const found = await probe.look(web.init.pid);
      const [supervisor] = found.supervisors;
      t.equal(supervisor?.pid, web.conmon.pid);
      t.ok(supervisor?.superseded, 'at every look, between two restarts too');
      t.not(supervisor?.superseded?.byPid, web.conmon.pid);
      t.not(found.view?.pid, web.init.pid);
    }
    await host.ok(['kill', '-KILL', `${web.conmon.pid}`]);
    await host.ok(['kill', '-KILL', `${web.init.pid}`]);
    const life = await until('a life that lasts', async () => {
      const now = await currentLife(podman, 'loop').catch(() => undefined);
      return now !== undefined && (await served(host, port).then(() => now));
    });
    const found = await probe.look(life.init.pid);
    t.match(
      found.supervisors,
      exactly({ pid: life.conmon.pid, superseded: undefined }),
      'the one that is left is not',
    );
    t.match(found.view, { state: 'running', pid: life.init.pid });
  });
});
