import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Config } from '../../src/config/config.ts';
import { startDocker, startDockerContainer } from '../helpers/lab/docker.ts';
import { privateHost, type Host } from '../helpers/lab/host.ts';
import { orphand } from '../helpers/lab/orphand.ts';
import { rootPodman, startContainer } from '../helpers/lab/podman.ts';
import { addUser, rootlessPodman } from '../helpers/lab/rootless.ts';
import { httpd, pythonServer } from '../helpers/lab/server.ts';
import { served } from '../helpers/lab/serving.ts';
import { needs } from '../helpers/needs.ts';
import { run } from '../cli/program.ts';
import { exactly } from '../helpers/exactly.ts';

/** The configuration that a file of a host stands for, as `config print` has it. */
async function effective(host: Host, file: string) {
  const printed = await orphand(host, ['config', 'print', '--json', '--config', file]);
  return JSON.parse(printed.stdout) as Pick<Config, 'ports' | 'patterns' | 'containers'> & {
    gracePeriod: string;
  };
}

t.test('--from-running learns the stack of root, of a user and of docker', async (t) => {
  if (!needs(t, 'root', 'podman', 'docker', 'runc', 'unshare')) return;
  const host = await privateHost(t);
  const podman = await rootPodman(host);
  const rootless = await rootlessPodman(host, await addUser(host));
  const docker = await startDocker(host);
  const { flags, command } = pythonServer({ ports: [8091, 8791] }, ['--config', '/app/config.yaml']);
  const labels = ['--label', 'stack=ai', '--label', 'io.podman.compose.project=ai'];
  await startContainer(podman, 'local-ai-aidb', [...flags, ...labels], command);
  await startContainer(rootless, 'local-ai-open-webui', ['--label', 'stack=ai'], httpd(3001));
  await startDockerContainer(docker, 'local-ai-qdrant', ['--label', 'stack=ai'], httpd(6333));
  await podman('create', '--name', 'stopped', '--network', 'host', 'localhost/bb', ...httpd(9999));
  await podman('run', '-d', '--name', 'bridged', '--network', 'none', 'localhost/bb', 'sleep', '600');
  host.cgroups.add(`libpod-${await podman('inspect', 'bridged', '--format', '{{.Id}}')}`);
  await served(host, 8091, 3001, 6333);

  const { code, stdout, stderr } = await orphand(host, ['init', '--from-running']);
  t.equal(code, 0, stderr);
  t.match(stdout, '✓ Wrote /etc/orphand/config.yaml: orphand scan shows what it watches\n');
  const config = await effective(host, '/etc/orphand/config.yaml');
  t.strictSame(config.ports, [
    { port: 3001, service: 'local-ai-open-webui', protocol: 'tcp' },
    { port: 6333, service: 'local-ai-qdrant', protocol: 'tcp' },
    { port: 8091, service: 'local-ai-aidb', protocol: 'tcp' },
    { port: 8791, service: 'local-ai-aidb', protocol: 'tcp' },
  ]);
  t.strictSame(config.patterns, ['/app/server\\.py']);
  t.strictSame(
    new Set(config.containers.names),
    new Set(['local-ai-aidb', 'local-ai-open-webui', 'local-ai-qdrant']),
  );
  t.strictSame(config.containers.labels, ['stack=ai']);
  t.strictSame(config.containers.projects, ['ai']);
  t.equal((await orphand(host, ['scan'])).code, 0, 'with it the host is well');
  t.equal((await orphand(host, ['stop'])).code, 0, 'and the stack can be stopped');

  const nothing = await orphand(host, ['init', '--from-running', '--output', `${host.dir}/x.yaml`]);
  t.match(nothing, {
    code: 1,
    stderr: "orphand: nothing was written: no container that shares the host's network runs here\n",
  });
});

t.test('a file that is there is only overwritten by --force, and its other settings stay', async (t) => {
  if (!needs(t, 'root', 'unshare')) return;
  const host = await privateHost(t);
  const file = join(host.dir, 'config.yaml');
  const compose = join(host.dir, 'ai', 'compose.yaml');
  mkdirSync(join(host.dir, 'ai'));
  writeFileSync(compose, 'services: { aidb: { network_mode: host, environment: { PORT: "${P}" } } }\n');
  writeFileSync(join(host.dir, 'ai', '.env'), 'P=8091\n');
  const before = 'ports: [1234]\ngracePeriod: 7s\n';
  writeFileSync(file, before);
  const init = ['init', '--compose', compose, '--output', file];
  const refused = await orphand(host, init);
  t.equal(refused.code, 1);
  t.match(refused.stdout, /^-ports: \[1234\]$/m);
  t.match(refused.stdout, /^\+ {2}- \{ port: 8091, service: aidb \} # aidb: environment PORT$/m);
  t.equal(refused.stderr, `orphand: ${file} is there and was not touched: --force overwrites it\n`);
  t.equal(readFileSync(file, 'utf8'), before);

  t.equal((await orphand(host, [...init, '--force'])).code, 0);
  const config = await effective(host, file);
  t.match(config, {
    ports: exactly({ port: 8091, service: 'aidb' }),
    gracePeriod: '7s',
    containers: { projects: exactly('ai') },
  });
  t.strictSame(config.patterns, [], 'none was learned, so there is none');
  t.match(await orphand(host, init), { code: 0, stdout: `✓ ${file} is as it would be written\n` });

  writeFileSync(file, 'prots: [1]\n');
  const broken = await orphand(host, [...init, '--force']);
  t.equal(broken.code, 0, 'a file that is not valid is replaced');
  t.match(broken.stderr, /⚠ its settings are not carried over: .*prots: unknown key/);
});

t.test('without a source it is the reference’s stack; - is standard output', async (t) => {
  const { code, stdout } = await run(['init', '-o', '-']);
  t.equal(code, 0);
  t.match(stdout, /^ {2}- \{ port: 8091, service: aidb-http \}$/m);
  t.match(stdout, /^ {4}- local-ai-\*$/m);
});

t.test('wrong input is exit code 2 and a line; what can’t be written, 1', async (t) => {
  const dir = t.testdir({
    'x.yaml': 'a: [',
    'y.yaml': 'services: {a: {}}',
    'z.yaml': 'a: *b',
    'n.yaml': 'x',
  });
  const cases: [string[], string][] = [
    [['--compose', `${dir}/none.yaml`], `${dir}/none.yaml: no such file (ENOENT)`],
    [['--compose', dir], `${dir}: cannot be read (EISDIR)`],
    [['--compose', `${dir}/n.yaml`], `${dir}/n.yaml: no compose file: it has no \`services:\``],
    [['--compose', `${dir}/y.yaml`], `${dir}/y.yaml: no service in it has \`network_mode: host\``],
    [['--compose'], '--compose needs a value: FILE'],
    [['--output', dir], `${dir}: cannot be read (EISDIR)`],
    [['compose.yaml'], '"init" does not take "compose.yaml": orphand init'],
    [['--from-runing'], 'unknown option "--from-runing", did you mean "--from-running"?'],
  ];
  for (const [args, message] of cases)
    t.same(
      await run(['init', ...args]),
      { code: 2, stdout: '', stderr: `orphand: ${message}\n` },
      args.join(' '),
    );
  for (const file of ['x.yaml', 'z.yaml'])
    t.match(await run(['init', '--compose', `${dir}/${file}`]), {
      code: 2,
      stderr: /^orphand: \S+: not YAML: [^\n]+\n$/,
    });
  const unwritable = await run(['init', '--output', '/proc/orphand/config.yaml']);
  t.match(unwritable, {
    code: 1,
    stderr: /^orphand: \/proc\/orphand\/config\.yaml could not be written \(ENOENT\)\n$/,
  });
});
