import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import type { StopReport } from '../../src/cli/stop.ts';
import { privateHost } from '../helpers/lab/host.ts';
import { orphand } from '../helpers/lab/orphand.ts';
import { rootPodman, stateOf } from '../helpers/lab/podman.ts';
import { lives, startOrphan } from '../helpers/lab/processes.ts';
import { httpd } from '../helpers/lab/server.ts';
import { stackServices, startStack } from '../helpers/lab/stack.ts';
import { needs } from '../helpers/needs.ts';
import { exactly } from '../helpers/exactly.ts';

/**
 * A compose project of the shape that real ones have. Its containers are made as podman-compose makes them, but not by it:
 * Debian's (1.0.3) gives one with `network_mode: host` a second network, which podman refuses.
 */
async function composed(t: Test) {
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  const file = join(host.dir, 'compose.yaml');
  const service = ({ name, port }: (typeof stackServices)[number]): string[] => [
    `  ${name.replace('local-ai-', '')}:`,
    '    image: localhost/bb',
    `    container_name: ${name}`,
    '    network_mode: host',
    '    restart: always',
    `    command: ${JSON.stringify(httpd(port))}`,
  ];
  writeFileSync(file, ['services:', ...stackServices.flatMap(service), ''].join('\n'));
  await startStack(podman, ['--restart=always', '--label', 'io.podman.compose.project=ai']);
  return { host, podman, file };
}

t.test('with podman-compose down as its command: output passes through, and all is free', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const { host, podman, file } = await composed(t);
  const dry = await orphand(host, ['stop', '--dry-run', '--', 'podman-compose', '-f', file, 'down']);
  t.match(dry.stdout, `ℹ Would run podman-compose -f ${file} down\n`);
  t.equal(await stateOf(podman, 'local-ai-aidb'), 'running', 'a dry run runs nothing');
  const { code, stdout, stderr } = await orphand(host, ['stop', '--', 'podman-compose', '-f', file, 'down']);
  t.equal(code, 0, stdout + stderr);
  // Up to 1.0 it shows its commands, later only what they print.
  t.match(stdout, /^(podman stop -t 10 )?local-ai-aidb$/m, 'what podman-compose prints');
  t.match(stdout, /✓ All watched ports are free\n$/);
  t.equal(await stateOf(podman, 'local-ai-aidb'), undefined, 'it is gone');
});

t.test('a command that fails is reported, and cleaning goes on', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const cases: [command: string[], said: string][] = [
    [
      ['sh', '-c', 'echo out; echo err >&2; exit 3'],
      "orphand: sh -c 'echo out; echo err >&2; exit 3' failed with exit code 3; cleaning up all the same\n",
    ],
    [
      ['sh', '-c', 'kill -TERM $$'],
      "orphand: sh -c 'kill -TERM $$' was ended by SIGTERM; cleaning up all the same\n",
    ],
    [
      ['no-such-program'],
      'orphand: no-such-program could not be started: no such program; cleaning up all the same\n',
    ],
    [
      ['/etc/passwd'],
      'orphand: /etc/passwd could not be started: it may not be executed; cleaning up all the same\n',
    ],
  ];
  for (const [command, said] of cases) {
    const orphan = await startOrphan(host);
    const { code, stdout, stderr } = await orphand(host, ['stop', '--json', '--', ...command]);
    t.equal(code, 0);
    t.match(stderr, said);
    const report = JSON.parse(stdout) as StopReport;
    t.strictSame(report.command?.argv, command);
    t.match(report.cleanup?.actions, exactly({ pid: orphan.pid, outcome: 'terminated' }));
    t.notOk(lives(host, orphan));
  }
});

t.test('a refusal is reported, and the ports are named all the same', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const orphan = await startOrphan(host, { workers: 2 });
  const env = { ORPHAND_MAX_TARGETS: '2' };
  const { code, stdout, stderr } = await orphand(host, ['stop'], { env });
  t.equal(code, 1);
  t.match(stderr, 'orphand: nothing was cleaned up: 3 processes would be ended, more than maxTargets (2)');
  t.match(stdout, 'To free it: orphand clean --ports 8091\n');
  t.ok(lives(host, orphan));
  t.equal((await orphand(host, ['stop', '--force'], { env })).code, 0);
  t.notOk(lives(host, orphan));
});

t.test('stop.clean: off ends nothing', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const orphan = await startOrphan(host);
  const { code, stdout } = await orphand(host, ['stop'], { env: { ORPHAND_STOP_CLEAN: 'off' } });
  t.equal(code, 1);
  t.match(stdout, 'ℹ The configuration says stop.clean: off\n');
  t.ok(lives(host, orphan));
});

t.test('a signal reaches the command, and nothing is cleaned up then', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const orphan = await startOrphan(host);
  // The command asks for the signal itself, once it is there to be told.
  const command = 'trap "echo told; exit 0" TERM; kill -TERM $PPID; while :; do sleep 0.1; done';
  const { code, stdout, stderr } = await orphand(host, ['stop', '--', 'sh', '-c', command]);
  t.equal(code, 143);
  t.match(stdout, /^told$/m);
  t.match(stderr, /orphand: interrupted: nothing was cleaned up\n$/);
  t.ok(lives(host, orphan));
});
