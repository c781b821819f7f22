/** Real containers of a real docker engine. */
import t from 'tap';
import { killEngine, startDocker, startDockerContainer } from '../helpers/lab/docker.ts';
import { privateHost } from '../helpers/lab/host.ts';
import { freePort } from '../helpers/lab/ports.ts';
import { lives } from '../helpers/lab/processes.ts';
import { httpd } from '../helpers/lab/server.ts';
import { served } from '../helpers/lab/serving.ts';
import { needs } from '../helpers/needs.ts';
import { openProbe } from '../helpers/probe.ts';

t.test('docker', async (t) => {
  if (!needs(t, 'root', 'docker', 'unshare')) return;
  const host = await privateHost(t);
  const docker = await startDocker(host);
  const probe = await openProbe(host);
  const port = await freePort();
  const web = await startDockerContainer(docker, 'web', ['--label', 'stack=ai'], httpd(port));

  await t.test('a healthy container', async (t) => {
    const found = await probe.look(web.init.pid);
    t.match(found.cgroup, { runtime: 'docker', id: web.id });
    t.match(found.mounts, { runtime: 'docker', store: { root: '/var/lib/docker', driver: 'overlay2' } });
    t.match(found.supervisors[0], { pid: web.shim.pid, containerId: web.id, exec: false });
    t.match(found.view, { state: 'running', pid: web.init.pid, name: 'web', labels: { stack: 'ai' } });
    t.match(found.names, { name: 'web', labels: { stack: 'ai' } });
    t.ok(
      found.view?.evidence.some(({ fact }) => fact === 'docker of root (socket)'),
      'the daemon was asked',
    );
    t.match((await probe.look(web.shim.pid)).helper, /^containerd-shim/);
    const bare = await probe.look(web.init.pid, { without: 'cgroup' });
    t.match(bare.view, { state: 'running', pid: web.init.pid, name: 'web' }, 'found by its layer');
  });

  await t.test(
    'one that shares its network has the other’s files, and is found by its own layer',
    async (t) => {
      const id = await docker(
        'run',
        '-d',
        '--name',
        'base',
        '--network',
        'none',
        ...limits,
        'bb',
        'sleep',
        '1000',
      );
      host.cgroups.add(id);
      const guest = await docker(
        'run',
        '-d',
        '--name',
        'guest',
        '--network',
        'container:base',
        ...limits,
        'bb',
        'sleep',
        '1000',
      );
      host.cgroups.add(guest);
      const pid = Number(await docker('inspect', 'guest', '--format', '{{.State.Pid}}'));
      const found = await probe.look(pid, { without: 'cgroup' });
      t.match(found.mounts, { runtime: 'docker', id: undefined });
      t.match(found.view, { state: 'running', pid, name: 'guest' });
    },
  );

  await t.test('stopped and removed by the daemon', async (t) => {
    const other = await startDockerContainer(docker, 'other', [], ['sleep', '1000']);
    const container = { runtime: 'docker', id: other.id, name: 'other' };
    t.match(await probe.release({ container, uid: 0, stopSeconds: 1 }), { released: true });
    t.notOk(lives(host, other.init));
    t.equal(await docker('ps', '--all', '--quiet', '--filter', 'name=other'), '');
  });

  await t.test('engine and shim killed: nobody to ask, the record says that it runs', async (t) => {
    await killEngine(docker, web);
    const found = await probe.look(web.init.pid, { cli: true });
    t.strictSame(found.supervisors, []);
    t.match(found.view, { state: 'running', pid: web.init.pid, name: 'web' });
    t.ok(
      found.view?.evidence.some(({ value }) => value.startsWith('did not answer')),
      'and that nobody answered',
    );
    t.match(
      found.statuses.find(({ name }) => name === 'docker'),
      { user: 'root' },
    );
    await served(host, port);
  });

  await t.test('its record removed: no docker knows it', async (t) => {
    await host.ok(['rm', '-rf', `/var/lib/docker/containers/${web.id}`]);
    t.match((await probe.look(web.init.pid, { cli: true })).view, { state: 'absent', name: undefined });
  });
});

const limits = ['--ulimit', 'nofile=10000:10000', '--ulimit', 'nproc=1000:1000'];
