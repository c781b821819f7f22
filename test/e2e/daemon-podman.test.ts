import t from 'tap';
import { launchDaemon } from '../helpers/daemon.ts';
import { privateHost } from '../helpers/lab/host.ts';
import { killConmon, loseAlive, rootPodman, startContainer } from '../helpers/lab/podman.ts';
import { lives } from '../helpers/lab/processes.ts';
import { httpd } from '../helpers/lab/server.ts';
import { served, serves } from '../helpers/lab/serving.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';
import { exactly } from '../helpers/exactly.ts';

const port = 18391;
const livePort = 18392;

t.test(
  'a container whose conmon dies is noticed at once, and ended when podman has forgotten it',
  async (t) => {
    if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
    const host = await privateHost(t);
    const podman = await rootPodman(host);
    const victim = await startContainer(podman, 'victim', [], httpd(port));
    const live = await startContainer(podman, 'live', [], httpd(livePort));
    await served(host, port, livePort);

    const init = /^\/proc\/(\d+)\//.exec(host.path('/'))?.[1] ?? '';
    const daemon = launchDaemon(t, {
      by: ['nsenter', '-t', init, '-m', '-p', '-n', '-i', '--'],
      directory: host.dir,
      config: { ports: [port, livePort], sweep: { clean: 'orphans' } },
    });
    const get = async (path: string) => (await daemon.ask({ path })).json;
    const verdictOf = async () => (await get(`/api/v1/processes/${victim.init.pid}`))['verdict'];
    await daemon.logged('orphand started');
    const pid = await until('the daemon', async () => (await get('/api/v1/status'))['pid'] as number);
    t.teardown(() => host.run(['kill', '-TERM', String(pid)]));
    await until('the live container in the report', async () => (await verdictOf()) === 'container');

    await killConmon(podman, victim);
    t.match(await daemon.logged('supervisor ended'), { target: { pid: victim.conmon.pid, comm: 'conmon' } });
    await until('its process to be a suspect', async () => (await verdictOf()) === 'suspect');
    t.match((await daemon.ask({ path: '/metrics' })).body, 'orphand_supervisor_deaths_total 1\n');
    t.ok(lives(host, victim.init) && (await serves(host, port)), 'podman says Up: it is left alone');

    await loseAlive(podman);
    await host.run(['podman', 'rm', 'victim']);
    await until('its end', () => !lives(host, victim.init));
    await until('the port to be free', async () => !(await serves(host, port)));
    t.match(await daemon.logged('cleanup finished'), { trigger: 'sweep', ok: true, freed: exactly(port) });
    t.ok(lives(host, live.init) && lives(host, live.conmon), 'the live container lives');
    t.ok(await serves(host, livePort));
  },
);
