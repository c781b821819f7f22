import { writeFileSync } from 'node:fs';
import t from 'tap';
import { privateHost } from '../helpers/lab/host.ts';
import { orphand, stop } from '../helpers/lab/orphand.ts';
import { restartAgainstItself, restartCount, rootPodman, startContainer } from '../helpers/lab/podman.ts';
import { lives } from '../helpers/lab/processes.ts';
import { httpd } from '../helpers/lab/server.ts';
import { served } from '../helpers/lab/serving.ts';
import { stackServices, startStack } from '../helpers/lab/stack.ts';
import { systemdHost } from '../helpers/lab/systemd.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';
import { exactly } from '../helpers/exactly.ts';

t.test('a crash loop is stopped for good', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  const [old] = await startStack(podman, ['--restart=always'], [stackServices[0]]);
  await restartAgainstItself(podman, old!);
  await until('the crash loop', async () => (await restartCount(podman, old!.name)) >= 3);
  const { code, report } = await stop(host);
  t.equal(code, 0, JSON.stringify(report.held));
  t.match(report.stack?.containers, exactly({ name: 'local-ai-aidb', outcome: 'stopped' }));
  t.match(report.cleanup?.actions, exactly({ pid: old!.init.pid }));
  t.notOk(lives(host, old!.init));
  const restarts = await restartCount(podman, old!.name);
  t.match(
    await stop(host),
    { code: 0, report: { stack: { containers: exactly() } } },
    'a second stop finds nothing',
  );
  t.equal(await restartCount(podman, old!.name), restarts, 'and it has not been restarted since');
});

t.test('a paused container is stopped too', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  const [container] = await startStack(podman, [], [stackServices[0]]);
  await podman('pause', container!.name);
  const { code, report } = await stop(host);
  t.equal(code, 0);
  t.match(report.stack?.containers, exactly({ outcome: 'stopped' }));
  t.notOk(lives(host, container!.init));
});

t.test('by label and by compose project', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  const labelled = await startContainer(podman, 'a', ['--label', 'stack=ai'], httpd(18191));
  const composed = await startContainer(
    podman,
    'b',
    ['--label', 'io.podman.compose.project=ai'],
    httpd(18192),
  );
  const neither = await startContainer(podman, 'c', ['--label', 'stack=other'], httpd(18193));
  await served(host, 18191, 18192, 18193);
  const env = {
    ORPHAND_PORTS: '18191-18192',
    ORPHAND_CONTAINERS_LABELS: 'stack=ai',
    ORPHAND_CONTAINERS_PROJECTS: 'ai',
  };
  const { code, stdout } = await orphand(host, ['stop', '--json'], { env });
  t.equal(code, 0, stdout);
  t.notOk(lives(host, labelled.init) || lives(host, composed.init));
  t.ok(lives(host, neither.init));
});

t.test(
  'a container of a systemd unit is stopped through its unit, or systemd would start it again',
  async (t) => {
    if (!needs(t, 'root', 'podman', 'runc', 'unshare', 'nspawn')) return;
    const host = await systemdHost(t);
    const podman = await rootPodman(host);
    const [container] = await startStack(podman, [], [stackServices[0]]);
    await podman('stop', container!.name);
    await podman('rm', container!.name);
    const name = 'local-ai-aidb';
    const unit = [
      '[Service]',
      'Type=forking',
      'Restart=always',
      `PIDFile=/run/${name}.pid`,
      `ExecStart=podman run --cgroups=no-conmon --conmon-pidfile=/run/${name}.pid --label PODMAN_SYSTEMD_UNIT=%n -d --replace --name ${name} --network host localhost/bb ${httpd(8091).join(' ')}`,
      `ExecStop=podman stop --ignore -t 5 ${name}`,
      '',
    ];
    writeFileSync(host.path(`/etc/systemd/system/${name}.service`), unit.join('\n'));
    await host.ok(['systemctl', 'daemon-reload']);
    await host.ok(['systemctl', 'start', name]);
    await served(host, 8091);
    const { code, report } = await stop(host);
    t.equal(code, 0, JSON.stringify(report, undefined, 1));
    t.match(report.stack?.containers, exactly({ name, outcome: 'stopped' }));
    const state = (await host.run(['systemctl', 'is-active', name])).stdout.trim();
    t.match(state, /^(inactive|failed)$/, 'systemd does not restart it');
  },
);
