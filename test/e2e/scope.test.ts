import t from 'tap';
import { writeConfig } from '../helpers/lab/config.ts';
import { privateHost, type Host } from '../helpers/lab/host.ts';
import { clean, judged, orphand, outcome } from '../helpers/lab/orphand.ts';
import { killConmon, makePodmanForget, rootPodman, startContainer } from '../helpers/lab/podman.ts';
import { lives, startProcess } from '../helpers/lab/processes.ts';
import { httpd } from '../helpers/lab/server.ts';
import { served } from '../helpers/lab/serving.ts';
import { needs } from '../helpers/needs.ts';

const [first, second, unwatched] = [18991, 18992, 18993];
const stack = ['python3', '-u', 'SCRIPT', '--config', '/app/config.yaml'];
const server = (host: Host, port: number, workers = 0) =>
  startProcess(host, { script: 'app/server.py', argv: stack, ports: [port], workers });

t.test('--ports ends only what holds one of these ports', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const [chosen, other] = [await server(host, first, 2), await server(host, second)];
  const config = writeConfig(host, { ports: [first, second], patterns: ['server\\.py --config'] });
  const { report } = await clean(host, config, ['--ports', `${first}`]);
  for (const one of [chosen, ...chosen.workers]) t.notOk(lives(host, one), `${one.pid} has gone`);
  t.ok(lives(host, other), 'the other orphan is left');
  t.equal(outcome(report, other), undefined);
  t.equal(report.actions.length, 3);
});

t.test("an orphan that is none of the stack's is reported and left alone", async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  const stranger = await startContainer(podman, 'stranger', [], httpd(unwatched));
  const named = await startContainer(podman, 'local-ai-worker', [], ['sleep', '1000']);
  await served(host, unwatched);
  await killConmon(podman, named);
  await makePodmanForget(podman, stranger);
  const config = writeConfig(host, { ports: [first], containers: { names: ['local-ai-*'] } });
  const { report } = await clean(host, config, ['--suspects']);
  t.ok(lives(host, stranger.init), 'on a port that nobody watches it lives on');
  t.equal(outcome(report, stranger.init), undefined);
  t.match(
    report.scan.processes.find(({ pid }) => pid === stranger.init.pid) ?? { inScope: false },
    { inScope: false },
    'whatever is said of it, it is out of scope',
  );
  t.notOk(lives(host, named.init), "one with a name of the stack's is in scope without any port");
});

t.test('a plan of more processes than maxTargets is refused without --force', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const many = await server(host, first, 9);
  const config = writeConfig(host, { ports: [first], patterns: ['server\\.py --config'], maxTargets: 9 });
  const refused = await orphand(host, ['clean', '--config', config]);
  t.not(refused.code, 0);
  t.match(refused.stderr, /maxTargets.*--force/);
  for (const one of [many, ...many.workers]) t.ok(lives(host, one), `${one.pid} lives`);
  const forced = await clean(host, config, ['--force']);
  t.equal(judged(forced.report.scan, many), 'orphan stack-process-reparented');
  for (const one of [many, ...many.workers]) t.notOk(lives(host, one), `${one.pid} has gone`);
  t.equal(forced.code, 0);
});

t.test('two cleanups at once do not meet: the second says so and does nothing', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const orphan = await server(host, first);
  const config = writeConfig(host, {
    ports: [first],
    patterns: ['server\\.py --config'],
    clean: { confirmAfter: '3s' },
  });
  const [one, other] = await Promise.all([
    orphand(host, ['clean', '--json', '--config', config]),
    orphand(host, ['clean', '--json', '--config', config]),
  ]);
  t.strictSame([one.code, other.code].sort(), [0, 1], 'one of them cleans');
  const loser = one.code === 0 ? other : one;
  t.match(loser.stderr, /another|running|lock/i, 'the other one says why not');
  t.notOk(lives(host, orphan));
});
