import t from 'tap';
import { startDocker, startDockerContainer } from '../helpers/lab/docker.ts';
import { privateHost, views } from '../helpers/lab/host.ts';
import { orphand, stop } from '../helpers/lab/orphand.ts';
import {
  killConmon,
  loseAlive,
  makePodmanForget,
  rootPodman,
  startContainer,
  stateOf,
} from '../helpers/lab/podman.ts';
import { lives, startProcess } from '../helpers/lab/processes.ts';
import { addUser, rootlessPodman } from '../helpers/lab/rootless.ts';
import { httpd } from '../helpers/lab/server.ts';
import { served, serves } from '../helpers/lab/serving.ts';
import { stackServices, startStack } from '../helpers/lab/stack.ts';
import { needs } from '../helpers/needs.ts';
import { exactly } from '../helpers/exactly.ts';

for (const view of views()) {
  t.test(
    `root's stack of three is stopped, with what its conmons left; nothing else is (${view})`,
    async (t) => {
      if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
      const host = await privateHost(t, view);
      const podman = await rootPodman(host);
      const orphan = await startContainer(podman, 'local-ai-nixos-docs', [], httpd(8094));
      await served(host, 8094);
      await makePodmanForget(podman, orphan);
      const stack = await startStack(podman);
      const other = await startContainer(podman, 'other', [], httpd(18195));
      await killConmon(podman, stack[0]!);

      const dry = await orphand(host, ['stop', '--dry-run']);
      t.equal(dry.code, 1, 'its ports are held');
      for (const { name } of stackServices) t.match(dry.stdout, `ℹ Would stop ${name}\n`);
      t.match(dry.stdout, `ℹ Would kill orphaned process ${orphan.init.pid} `);
      t.match(dry.stdout, 'Containers that would be stopped: 3\n');
      t.ok(
        [...stack, orphan].every(({ init }) => lives(host, init)),
        'nothing was stopped or ended',
      );

      const { code, stdout, stderr } = await orphand(host, ['stop']);
      t.equal(code, 0, stdout + stderr);
      for (const { name } of stackServices.slice(1)) t.match(stdout, `✓ Stopped ${name} (podman)\n`);
      t.match(stdout, /^=== Stop Summary ===$/m);
      t.match(stdout, /✓ All watched ports are free\n$/);
      t.notOk(
        [...stack, orphan].some(({ init }) => lives(host, init)),
        'all of the stack has gone',
      );
      t.ok(
        lives(host, other.init) && lives(host, other.conmon) && (await serves(host, 18195)),
        'the other lives',
      );
      const again = await stop(host);
      t.match(again, { code: 0, report: { ok: true, held: exactly(), stack: { containers: exactly() } } });
    },
  );
}

t.test('a stack of root, of a user and of docker is stopped through each, as its owner', async (t) => {
  if (!needs(t, 'root', 'podman', 'docker', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const [one, two, three] = stackServices;
  const podman = await rootPodman(host);
  const user = await addUser(host);
  const rootless = await rootlessPodman(host, user);
  const docker = await startDocker(host);
  const containers = [
    ...(await startStack(podman, [], [one])),
    ...(await startStack(rootless, [], [two])),
    await startDockerContainer(docker, three.name, ['--restart=always'], httpd(three.port)),
  ];
  await served(host, three.port);
  const { code, report } = await stop(host);
  t.equal(code, 0);
  t.strictSame(
    new Set(
      report.stack?.containers.map(
        ({ runtime, user: of, name, outcome }) => `${runtime} ${of} ${name} ${outcome}`,
      ),
    ),
    new Set([
      `podman root ${one.name} stopped`,
      `podman ${user.name} ${two.name} stopped`,
      `docker root ${three.name} stopped`,
    ]),
  );
  t.strictSame(report.cleanup?.actions, [], 'nothing was left to end');
  t.notOk(containers.some(({ init }) => lives(host, init)));
});

t.test('a user stops their own stack without root, and is told who holds what is not theirs', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const user = await addUser(host);
  const rootless = await rootlessPodman(host, user);
  const [container] = await startStack(rootless, [], [stackServices[0]]);
  const stranger = await startProcess(host, {
    script: 'other/web.py',
    argv: ['/usr/bin/python3', 'SCRIPT'],
    ports: [8080],
  });
  const { code, stdout, stderr } = await orphand(host, ['stop'], { user: user.name });
  t.equal(code, 1, stdout + stderr);
  t.match(stdout, '✓ Stopped local-ai-aidb (podman of alice)\n');
  t.match(
    stdout,
    '✗ Port 8080 (llama-cpp) is held by a process that could not be seen. To free it: run with sudo',
  );
  t.notOk(lives(host, container!.init));
  t.ok(lives(host, stranger));
});

t.test('what stays held is named with its holder and what would free it', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  const other = await startContainer(podman, 'other', [], httpd(5432));
  const stranger = await startProcess(host, {
    script: 'other/web.py',
    argv: ['/usr/bin/python3', 'SCRIPT'],
    ports: [8080],
  });
  await served(host, 5432);
  const { code, stdout } = await orphand(host, ['stop']);
  t.equal(code, 1);
  t.match(
    stdout,
    `✗ Port 5432 (postgres) is held by live container other (httpd), PID ${other.init.pid}. To free it: podman stop other\n`,
  );
  t.match(
    stdout,
    `✗ Port 8080 (llama-cpp) is held by host process python3, PID ${stranger.pid}. To free it: end it the way it was started: it is root's\n`,
  );
  t.match(stdout, /✗ 2 of 11 ports held\n$/);
  t.ok(lives(host, other.init) && lives(host, stranger), 'and is left alone');
});

t.test(
  'of a live container that podman lost track of, stop says what frees its port, and that does',
  async (t) => {
    if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
    const host = await privateHost(t);
    const podman = await rootPodman(host);
    const [lost] = await startStack(podman, ['--restart=always'], [stackServices[0]]);
    await loseAlive(podman);
    const asleep = await orphand(host, ['stop']);
    t.equal(asleep.code, 1);
    t.match(
      asleep.stdout,
      '⚠ podman was not asked what it runs: it has not been called since the boot, or lost its alive file',
    );
    t.match(await stateOf(podman, lost!.name), /^(created|exited)$/, 'podman has forgotten that it runs');
    const { code, stdout } = await orphand(host, ['stop']);
    t.equal(code, 1);
    const cure =
      'podman lost track of it, so: podman restart local-ai-aidb, then orphand clean --ports 8091, then podman stop local-ai-aidb';
    t.match(stdout, `To free it: ${cure}\n`);
    t.ok(lives(host, lost!.init), 'nobody ended it');
    await host.run(['podman', 'restart', lost!.name]);
    await orphand(host, ['clean', '--ports', '8091']);
    t.notOk(lives(host, lost!.init));
    await podman('stop', lost!.name);
    t.match(await orphand(host, ['stop']), { code: 0 });
  },
);
