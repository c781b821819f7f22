/** Real containers of a real podman: what DESIGN.md section 1 and the lab's README say of them must be read from them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  currentLife,
  killConmon,
  loseAlive,
  makePodmanForget,
  restartAgainstItself,
  rootPodman,
  startContainer,
  stateOf,
} from '../helpers/lab/podman.ts';
import { privateHost, views, type Host } from '../helpers/lab/host.ts';
import { freePort } from '../helpers/lab/ports.ts';
import { lives, type Proc } from '../helpers/lab/processes.ts';
import { httpd } from '../helpers/lab/server.ts';
import { served } from '../helpers/lab/serving.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';
import { openProbe } from '../helpers/probe.ts';
import { exactly } from '../helpers/exactly.ts';

const limits = ['--ulimit', 'nofile=10000:10000', '--ulimit', 'nproc=1000:1000'];
const kinds = ['root', 'podman', 'runc', 'unshare'] as const;

/** Waits until a process is older than what a boot time in whole seconds can blur. */
async function older(host: Host, { startTime }: Proc): Promise<void> {
  await until('a process of some age', () => {
    const uptime = Number(readFileSync(host.path('/proc/uptime'), 'utf8').split(' ')[0]);
    return uptime * 100 - startTime > 250;
  });
}

for (const view of views()) {
  t.test(`on a ${view} cgroup tree`, async (t) => {
    if (!needs(t, ...kinds)) return;
    const host = await privateHost(t, view);
    const podman = await rootPodman(host);
    const probe = await openProbe(host);

    await t.test('a healthy container is named by its cgroup, and by its mounts alone', async (t) => {
      const port = await freePort();
      const web = await startContainer(podman, 'healthy', ['--label', 'stack=ai'], httpd(port));
      const found = await probe.look(web.init.pid);
      t.match(found.cgroup, { runtime: 'podman', id: web.id });
      t.match(found.mounts, {
        runtime: 'podman',
        id: web.id,
        store: { root: '/var/lib/containers/storage', driver: 'overlay', runRoot: '/run/containers/storage' },
      });
      t.match(found.supervisors, exactly({ pid: web.conmon.pid, containerId: web.id, exec: false }));
      t.equal(found.supervisors[0]?.superseded, undefined);
      t.match(found.view, { state: 'running', pid: web.init.pid, name: 'healthy' });
      t.match(found.statuses[0], { name: 'podman', user: 'root', available: true });
      t.equal(found.helper, undefined);
      t.equal((await probe.look(web.conmon.pid)).helper, 'conmon');
      t.equal((await probe.look(web.conmon.pid)).view, undefined, 'conmon is in no container');

      const bare = await probe.look(web.init.pid, { without: 'cgroup', cli: true, labels: true });
      t.match(bare.view, {
        state: 'running',
        pid: web.init.pid,
        name: 'healthy',
        labels: { stack: 'ai' },
        restartCount: 0,
      });
      const cgroupOnly = await probe.look(web.init.pid, { without: 'mounts' });
      t.match(cgroupOnly.view, { state: 'running', name: 'healthy' });
    });

    await t.test('podman exec has a conmon of its own', async (t) => {
      const web = await currentLife(podman, 'healthy');
      await podman('exec', '-d', 'healthy', 'sleep', '1000');
      const conmon = await until('the exec session', () => {
        const all = host.run(['sh', '-c', `grep -lz -e --exec-process-spec /proc/[0-9]*/cmdline`]);
        return all.then(({ stdout }) => /proc\/(\d+)\//.exec(stdout)?.[1]);
      });
      t.match(
        (await probe.look(Number(conmon))).supervisors,
        exactly({ containerId: web.id, exec: true, superseded: undefined }),
      );
    });

    await t.test('a look never makes podman forget what runs', async (t) => {
      const { init, conmon } = await currentLife(podman, 'healthy');
      await loseAlive(podman);
      t.match((await probe.look(init.pid, { cli: true })).view, { state: 'running', pid: init.pid });
      t.notOk(existsSync(host.path('/run/libpod/alive')), 'podman was not called');
      await podman('ps', '-a');
      t.match(
        (await probe.look(init.pid, { cli: true })).view,
        // podman 5 says exited.
        { state: /^(created|exited)$/, pid: init.pid, name: 'healthy' },
        'podman has forgotten it',
      );
      const found = await probe.look(init.pid);
      t.match(found.view, { state: 'running', pid: init.pid }, 'its record has not');
      t.match(found.supervisors, exactly({ pid: conmon.pid, superseded: undefined }));
    });

    await t.test('without conmon it runs by record and by podman', async (t) => {
      const port = await freePort();
      const web = await startContainer(podman, 'conmonless', [], httpd(port));
      await killConmon(podman, web);
      const found = await probe.look(web.init.pid, { cli: true });
      t.strictSame(found.supervisors, []);
      t.match(found.view, { state: 'running', pid: web.init.pid });
      t.ok(
        found.view?.evidence.some(({ fact }) => fact === 'podman of root (cli)'),
        'podman was asked',
      );

      await t.test('and is released by podman', async (t) => {
        const store = found.mounts?.store;
        const released = await probe.release({
          container: { runtime: 'podman', id: web.id, name: 'conmonless' },
          uid: 0,
          store,
          stopSeconds: 1,
        });
        t.match(released, { released: true });
        t.equal(await stateOf(podman, 'conmonless'), undefined);
        t.notOk(lives(host, web.init));
      });
    });

    // Not here: in a v2 tree without systemd runc can't open /dev/null in a pod's container ("operation not permitted").
    const pod = async (t: Test): Promise<void> => {
      const infra = ['--infra-image', 'localhost/bb', '--infra-command', 'sleep 1000'];
      await podman('pod', 'create', '--name', 'pod', '--network', 'host', ...infra);
      const id = await podman(
        'run',
        '-d',
        '--pod',
        'pod',
        '--name',
        'member',
        'localhost/bb',
        'sleep',
        '1000',
      );
      const member = await currentLife(podman, 'member');
      for (const without of [undefined, 'cgroup', 'mounts'] as const) {
        const found = await probe.look(member.init.pid, without === undefined ? {} : { without });
        t.match(found.cgroup ?? found.mounts, { runtime: 'podman', id });
        t.match(found.view, { state: 'running', pid: member.init.pid, name: 'member' });
      }
    };
    if (view !== 'v2') await t.test('a container of a pod is itself, not its pod', pod);

    await t.test('a read-only container has no .containerenv mount, and is found by its layer', async (t) => {
      const id = await podman(
        'run',
        '-d',
        '--read-only',
        '--name',
        'fixed',
        '--network',
        'host',
        'localhost/bb',
        'sleep',
        '1000',
      );
      const fixed = await currentLife(podman, 'fixed');
      const found = await probe.look(fixed.init.pid, { without: 'cgroup' });
      t.match(found.view, { state: 'running', pid: fixed.init.pid, name: 'fixed' });
      t.equal(fixed.id, id);
    });

    await t.test('a build’s step is kept by the podman that builds', async (t) => {
      writeFileSync(join(host.dir, 'Containerfile'), 'FROM localhost/bb\nRUN sleep 31.7\n');
      const build = host.run(['podman', 'build', '--network', 'host', ...limits, host.dir]);
      const step = await until('the step', async () => {
        const { stdout } = await host.run(['sh', '-c', "grep -lz '^31.7$' /proc/[0-9]*/cmdline"]);
        return /proc\/(\d+)\//.exec(stdout)?.[1];
      });
      const found = await probe.look(Number(step));
      t.match(found.mounts, { runtime: 'podman', store: { root: '/var/lib/containers/storage' } });
      t.ok(found.supervisors.length > 0);
      for (const { containerId, exec, superseded } of found.supervisors) {
        t.strictSame([containerId, exec, superseded], [undefined, false, undefined]);
      }
      await host.ok(['kill', '-KILL', step]);
      await build;
    });

    await t.test('podman has forgotten the container, the process runs on', async (t) => {
      const port = await freePort();
      const web = await startContainer(podman, 'forgotten', [], httpd(port));
      await makePodmanForget(podman, web);
      t.match((await probe.look(web.init.pid)).view, { state: 'absent', name: undefined });
      t.match(
        (await probe.look(web.init.pid, { without: 'cgroup' })).view,
        { state: 'absent' },
        'by its mounts alone',
      );
      t.match(
        (await probe.look(web.init.pid, { without: 'mounts' })).view,
        { state: 'absent' },
        'by its cgroup alone',
      );
      await served(host, port);
    });

    await t.test(
      'the crash loop: the record names other lives than the one that holds the port',
      async (t) => {
        const port = await freePort();
        const web = await startContainer(podman, 'loop', ['--restart=always'], httpd(port));
        await served(host, port);
        await restartAgainstItself(podman, web);
        for (let round = 0; round < 5; round++) {
          const found = await probe.look(web.init.pid);
          t.strictSame(found.supervisors, []);
          t.ok(
            found.view?.state === 'exited' || found.view?.state === 'running',
            found.view?.state ?? 'none',
          );
          t.not(found.view?.pid, web.init.pid);
        }
        await podman('stop', '-t', '0', 'loop');
      },
    );

    await t.test('a start that the runtime refuses supersedes nobody', async (t) => {
      const port = await freePort();
      const web = await startContainer(podman, 'refused', [], httpd(port));
      await older(host, web.conmon);
      await loseAlive(podman);
      // podman 4.3 ends the healthy container when its start is refused; what counts is what is seen before that.
      const start = host.run(['podman', 'start', 'refused']);
      while (lives(host, web.conmon)) {
        const found = await probe.look(web.conmon.pid).catch(() => undefined);
        if (found !== undefined) t.equal(found.supervisors[0]?.superseded, undefined);
      }
      t.not((await start).code, 0);
    });
  });
}
