import t from 'tap';
import { writeConfig } from '../helpers/lab/config.ts';
import {
  killEngine,
  loseTask,
  startDocker,
  startDockerContainer,
  startEngine,
} from '../helpers/lab/docker.ts';
import { privateHost, views } from '../helpers/lab/host.ts';
import { clean, judged, outcome } from '../helpers/lab/orphand.ts';
import { lives, processRunning, readStat } from '../helpers/lab/processes.ts';
import { httpd } from '../helpers/lab/server.ts';
import { served, serves } from '../helpers/lab/serving.ts';
import { until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';

const [port, livePort, laterPort] = [18691, 18692, 18693];

for (const view of views()) {
  t.test(`a container whose engine died is an orphan once docker's record says so (${view})`, async (t) => {
    if (!needs(t, 'root', 'docker', 'unshare')) return;
    const host = await privateHost(t, view);
    const docker = await startDocker(host);
    const orphan = await startDockerContainer(docker, 'orphan', [], httpd(port));
    await docker('exec', '-d', 'orphan', ...httpd(laterPort));
    await served(host, port, laterPort);
    const session = await processRunning(host, httpd(laterPort));
    const config = writeConfig(host, { ports: [port, livePort, laterPort] });
    const healthy = await clean(host, config, ['--suspects']);
    t.equal(judged(healthy.report.scan, orphan.init), 'container supervised');
    t.equal(judged(healthy.report.scan, session), 'container supervised', 'an exec session too');
    t.strictSame(healthy.report.actions, [], 'a live docker container lives on');
    t.equal(healthy.code, 0);

    await killEngine(docker, orphan);
    t.equal(readStat(host, orphan.init.pid)?.ppid, 1);
    const silent = await clean(host, config);
    t.match(judged(silent.report.scan, orphan.init), /^suspect (supervisor-dead|runtime-silent)$/);
    t.strictSame(silent.report.actions, [], 'while the record says that it runs, it is kept');
    t.equal(silent.code, 1);
    t.ok(lives(host, orphan.init) && (await serves(host, port)));

    await loseTask(docker, orphan);
    await startEngine(host);
    t.equal(
      await docker('inspect', 'orphan', '--format', '{{.State.Status}}'),
      'exited',
      'docker says: exited',
    );
    const live = await startDockerContainer(docker, 'live', [], httpd(livePort));
    await served(host, livePort);
    const { code, report } = await clean(host, config);
    t.equal(judged(report.scan, orphan.init), 'orphan container-exited');
    t.match(outcome(report, orphan.init), /^(terminated|killed)$/);
    t.notOk(lives(host, orphan.init), 'the orphan has gone');
    t.equal(judged(report.scan, live.init), 'container supervised');
    t.notOk(lives(host, session), 'and what was started in it');
    t.strictSame(
      report.actions.map(({ pid }) => pid).sort(),
      [orphan.init.pid, session.pid].sort(),
      'these were the only targets',
    );
    t.equal(code, 0);
    t.ok(lives(host, live.init) && lives(host, live.shim), 'the live container lives');
    t.equal(await docker('inspect', 'live', '--format', '{{.State.Running}}'), 'true');
    t.ok(await serves(host, livePort));
    await docker('start', 'orphan');
    await served(host, port);
  });

  t.test(
    `a container that docker has removed is an orphan, and one of a dead engine is not (${view})`,
    async (t) => {
      if (!needs(t, 'root', 'docker', 'unshare')) return;
      const host = await privateHost(t, view);
      const docker = await startDocker(host);
      const orphan = await startDockerContainer(docker, 'orphan', [], httpd(port));
      const kept = await startDockerContainer(docker, 'kept', [], httpd(livePort));
      await served(host, port, livePort);
      await killEngine(docker, orphan);
      await loseTask(docker, orphan);
      await host.ok(['rm', '-rf', `/var/lib/docker/containers/${orphan.id}`]);
      const config = writeConfig(host, { ports: [port, livePort, laterPort] });
      const { code, report } = await clean(host, config);
      t.equal(judged(report.scan, orphan.init), 'orphan container-gone');
      t.notOk(lives(host, orphan.init), 'the orphan has gone');
      t.equal(
        judged(report.scan, kept.init),
        'container supervised',
        'its shim lives, whatever became of dockerd',
      );
      t.ok(lives(host, kept.init) && lives(host, kept.shim), 'the other container lives');
      t.equal(outcome(report, kept.init), undefined);
      t.ok(await serves(host, livePort));
      t.equal(code, 0);
    },
  );

  t.test(
    `a suspect of docker is ended with --suspects, and docker's record is left clean (${view})`,
    async (t) => {
      if (!needs(t, 'root', 'docker', 'unshare')) return;
      const host = await privateHost(t, view);
      const docker = await startDocker(host);
      const suspect = await startDockerContainer(docker, 'suspect', ['--stop-timeout=1'], httpd(port));
      await served(host, port);
      // SIGSTOP keeps containerd from seeing the shim's death, so docker goes on to say "running".
      const engine = await host.ok(['pidof', 'containerd']);
      await host.ok(['kill', '-STOP', engine]);
      await host.ok(['kill', '-KILL', `${suspect.shim.pid}`]);
      await until('the shim to be gone', () => !lives(host, suspect.shim));
      const config = writeConfig(host, { ports: [port] });
      const kept = await clean(host, config);
      t.equal(judged(kept.report.scan, suspect.init), 'suspect supervisor-dead');
      t.strictSame(kept.report.actions, []);
      t.ok(lives(host, suspect.init));
      await host.ok(['kill', '-CONT', engine]);
      const { report } = await clean(host, config, ['--suspects']);
      t.notOk(lives(host, suspect.init), 'it has gone');
      t.match(report.ports[0]?.state, 'free');
    },
  );
}
