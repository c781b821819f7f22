import t from 'tap';
import type { Explanation } from '../../src/cli/explain.ts';
import { startUnit, systemdHost } from '../helpers/lab/systemd.ts';
import { privateHost, type Host } from '../helpers/lab/host.ts';
import { orphand } from '../helpers/lab/orphand.ts';
import {
  currentLife,
  killConmon,
  restartAgainstItself,
  restartCount,
  rootPodman,
  startContainer,
  stateOf,
} from '../helpers/lab/podman.ts';
import { lives, startOrphan } from '../helpers/lab/processes.ts';
import { addUser, logOut, rootlessPodman } from '../helpers/lab/rootless.ts';
import { httpd } from '../helpers/lab/server.ts';
import { served } from '../helpers/lab/serving.ts';
import { stackServices, startStack } from '../helpers/lab/stack.ts';
import { aged, until } from '../helpers/lab/wait.ts';
import { needs } from '../helpers/needs.ts';
import { exactly } from '../helpers/exactly.ts';

async function explain(host: Host, ...what: (string | number)[]) {
  const words = what.map(String);
  const { code, stdout, stderr } = await orphand(host, ['explain', ...words]);
  const json = await orphand(host, ['explain', '--json', ...words]);
  return { code, text: stdout + stderr, found: JSON.parse(json.stdout) as Explanation[] };
}

t.test('rootful: a crash loop is explained in words, and over after the cure', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  const [old] = await startStack(podman, ['--restart=always'], [stackServices[0]]);
  await restartAgainstItself(podman, old!);
  await until('the crash loop', async () => (await restartCount(podman, old!.name)) >= 3);
  const { code, text, found } = await explain(host, 8091);
  t.equal(code, 0);
  t.match(
    text,
    /^ {4}Waits for it: local-ai-aidb \(podman\), restarted \d+ times, last at \S+: an earlier life of it holds the port; once the orphan has gone, its next restart comes up$/m,
  );
  t.match(text, /^ {4}Runtime says: .*restarted \d+ times$/m);
  t.match(text, `Ending it (orphand clean) would end 1 process: ${old!.init.pid} (httpd)\n`);
  t.match(
    found,
    exactly({
      waiting: exactly({ name: 'local-ai-aidb', runtime: 'podman', user: 'root' }),
      processes: exactly({
        process: { pid: old!.init.pid },
        blast: { by: 'orphand clean', ports: exactly('8091') },
      }),
    }),
  );
  t.ok(found[0]!.waiting[0]!.restartCount >= 3);

  const cure = found[0]!.processes[0]!.cure;
  t.equal(cure, 'orphand clean --ports 8091');
  await orphand(host, cure.split(' ').slice(1));
  t.notOk(lives(host, old!.init));
  await until('the next restart', async () => (await stateOf(podman, old!.name)) === 'running');
  await served(host, 8091);
  const now = await explain(host, 8091);
  t.match(
    now.found,
    exactly({ waiting: exactly(), processes: exactly({ process: { verdict: 'container' } }) }),
    'and nobody waits any more',
  );
  t.ok(lives(host, (await currentLife(podman, old!.name)).init));
});

t.test('rootless, after a logout: which user’s container waits, and what would end', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const user = await addUser(host);
  const podman = await rootlessPodman(host, user);
  const [old] = await startStack(podman, ['--restart=always'], [stackServices[0]]);
  await aged(old!.conmon);
  await logOut(host, user);
  await podman('start', old!.name);
  await until('the crash loop', async () => (await restartCount(podman, old!.name)) >= 3);
  const { text, found } = await explain(host, 8091);
  t.match(text, /^ {4}Waits for it: local-ai-aidb \(podman of alice\), restarted \d+ times/m);
  const pids = new Set(found[0]!.processes[0]!.blast?.processes.map(({ pid }) => pid));
  t.strictSame(pids, new Set([old!.conmon.pid, old!.init.pid]), 'its old conmon too');
  await orphand(host, ['clean', '--ports', '8091']);
  await until('the next restart', async () => (await stateOf(podman, old!.name)) === 'running');
  await served(host, 8091);
});

t.test('a crash loop that is not about the port is told apart', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  const crash = ['--restart=always', '--env', 'PORT=8091'];
  // Too short-lived for startContainer, which looks at its processes.
  await podman(
    'run',
    '-d',
    '--name',
    'local-ai-aidb',
    '--network',
    'host',
    ...crash,
    'localhost/bb',
    'sh',
    '-c',
    'sleep 1; exit 1',
  );
  host.cgroups.add(`libpod-${await podman('inspect', 'local-ai-aidb', '--format', '{{.Id}}')}`);
  await until('the crash loop', async () => (await restartCount(podman, 'local-ai-aidb')) >= 2);
  const { code, text } = await explain(host, 8091);
  t.equal(code, 1);
  t.match(text, /✓ Nothing is there: port 8091 \(aidb-http\) is free\n/);
  t.match(
    text,
    /⚠ local-ai-aidb \(podman\) was restarted \d+ times, and not because of this port: podman logs local-ai-aidb\n/,
  );
});

t.test('what would end with it: workers, the rest of its container, its other ports', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  const command = [
    'sh',
    '-c',
    `${httpd(8091).join(' ')} & ${httpd(18191).join(' ')} & exec ${httpd(3001).join(' ')}`,
  ];
  const container = await startContainer(podman, 'local-ai-aidb', [], command);
  await served(host, 8091, 18191, 3001);
  const live = await explain(host, 8091);
  t.match(
    live.found[0]!.processes,
    exactly({
      blast: { by: 'with its container', ports: exactly('3001', '8091', '18191') },
      runtime: { state: 'running', restartCount: 0 },
    }),
  );
  t.equal(live.found[0]!.processes[0]!.blast?.processes.length, 3);
  await killConmon(podman, container);
  const suspect = await explain(host, 8091);
  t.match(
    suspect.found[0]!.processes,
    exactly({
      process: { verdict: 'suspect' },
      blast: { by: 'orphand clean --suspects', ports: exactly('3001', '8091', '18191') },
    }),
  );
  t.match(suspect.text, 'Ports that would free: 3001, 8091, 18191\n');
});

t.test('connections of a port by state, and its other holders', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const orphan = await startOrphan(host, { workers: 1 });
  const client =
    'import socket, time; s = socket.create_connection(("127.0.0.1", 8091)); print("up", flush=True); time.sleep(60)';
  await host.ok([
    'bash',
    '-c',
    `python3 -c '${client}' >${host.dir}/client & for i in $(seq 100); do grep -q up ${host.dir}/client && exit; sleep 0.1; done; exit 1`,
  ]);
  const { text, found } = await explain(host, 8091);
  t.match(text, / {4}Connections: 1 ESTABLISHED\n/);
  t.match(found[0]!.connections, { LISTEN: 1, ESTABLISHED: 1 });
  t.match(text, `held by ${orphan.pid}, ${orphan.workers[0]!.pid}\n`);
  t.match(text, `Shares them with: ${orphan.workers[0]!.pid} (python3, orphan)\n`);
  t.match(text, `would end 2 processes: ${orphan.pid} (python3), ${orphan.workers[0]!.pid} (python3)\n`);
});

t.test('of a unit: everything in its cgroup ends with it', async (t) => {
  if (!needs(t, 'root', 'nspawn')) return;
  const host = await systemdHost(t);
  await startUnit(host, 'web.service', ["ExecStart=sh -c 'sleep 600 & exec busybox httpd -f -p 8080'"]);
  await until('the server', async () => (await orphand(host, ['explain', '8080'])).code === 0);
  const { text, found } = await explain(host, 8080);
  t.match(
    found[0]!.processes,
    exactly({ process: { verdict: 'host' }, blast: { by: 'with web.service', ports: exactly('8080') } }),
  );
  t.strictSame(found[0]!.processes[0]!.blast?.processes.map(({ comm }) => comm).sort(), ['busybox', 'sleep']);
  t.match(text, 'What to do: nothing to do, or to free the port: systemctl stop web.service\n');
});

t.test('of a forwarder: which container publishes the port, and whether that is the stack’s', async (t) => {
  if (!needs(t, 'root', 'podman', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  // Rootless podman's network opens it, which on this machine only root may.
  await host.ok(['sh', '-c', 'mknod -m 666 /run/tun c 10 200 && mount --bind /run/tun /dev/net/tun']);
  const user = await addUser(host);
  const podman = await rootlessPodman(host, user);
  const id = await podman(
    'run',
    '-d',
    '--name',
    'local-ai-aidb',
    '--publish',
    '8091:80',
    'localhost/bb',
    ...httpd(80),
  );
  host.cgroups.add(`libpod-${id}`);
  await served(host, 8091);
  const { text, found } = await explain(host, 8091);
  t.match(text, /^ {4}Published by: local-ai-aidb \(podman of alice\)$/m);
  t.match(
    found,
    exactly({
      publishers: exactly({ name: 'local-ai-aidb' }),
      processes: exactly({ process: { verdict: 'helper' } }),
    }),
  );
  t.equal((await orphand(host, ['preflight'])).code, 1);
  const allowed = await orphand(host, ['preflight', '--allow-live', '--', 'echo', 'started']);
  t.match(allowed, { code: 0, stdout: 'started\n' });
  t.equal((await orphand(host, ['stop'])).code, 0);
});
