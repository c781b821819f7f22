import { execFileSync } from 'node:child_process';
import t from 'tap';
import { defaultConfig, defaultPatterns, defaultStateDirectory } from '../../src/config/defaults.ts';

t.test('the default stack is the reference document', (t) => {
  const { ports, patterns, containers, protocols } = defaultConfig({ env: {}, uid: 0 });
  t.same(
    ports.map(({ port, service, protocol }) => `${port}/${protocol} ${service}`),
    [
      '8091/tcp aidb-http',
      '8791/tcp aidb-websocket',
      '8092/tcp hybrid-coordinator',
      '8094/tcp nixos-docs',
      '3001/tcp open-webui',
      '8098/tcp ralph-wiggum',
      '6333/tcp qdrant',
      '8080/tcp llama-cpp',
      '5432/tcp postgres',
      '6379/tcp redis',
      '47334/tcp mindsdb',
    ],
  );
  t.equal(patterns.length, 8);
  t.same(containers, { names: ['local-ai-*'], labels: [], projects: [] });
  t.same(protocols, ['tcp']);
  t.end();
});

t.test('each default pattern matches what the reference means by it, and takes its dots literally', (t) => {
  const commands = [
    'python3 -u /app/server.py --config /app/config/config.yaml',
    'bash start_with_discovery.sh',
    'bash start_with_learning.sh',
    'python3 /app/tool_discovery_daemon.py',
    'python3 /app/continuous_learning_daemon.py',
    'python3 /app/self_healing_daemon.py',
    '/usr/local/bin/python3 -m uvicorn open_webui.main:app --host 0.0.0.0 --port 3001',
    'python3 /ralph/server.py',
  ];
  for (const [index, command] of commands.entries()) {
    const pattern = new RegExp(defaultPatterns[index]!);
    t.match(command, pattern);
    t.notMatch(command.replaceAll('.', '_'), pattern, `${command} without its dots`);
  }
  t.end();
});

t.test('a fresh daemon only reports, and a clean-up ends proven orphans only', (t) => {
  const config = defaultConfig({ env: {}, uid: 0 });
  t.equal(config.sweep.clean, 'off');
  t.equal(config.clean.clean, 'orphans');
  t.equal(config.boot.clean, 'orphans');
  t.ok(config.sweep.confirmAfterMs > 10_000, "longer than the runtimes' stop timeout");
  t.end();
});

t.test('changing one configuration leaves the next one as it was', (t) => {
  defaultConfig().ports.length = 0;
  defaultConfig().ports[0]!.port = 1;
  t.equal(defaultConfig().ports[0]?.port, 8091);
  t.end();
});

const homes: [name: string, env: Record<string, string>, uid: number, directory: string][] = [
  ['root', {}, 0, '/var/lib/orphand'],
  ['root with a home', { HOME: '/root', XDG_STATE_HOME: '/root/state' }, 0, '/var/lib/orphand'],
  ['a unit with StateDirectory=', { STATE_DIRECTORY: '/var/lib/other:/var/lib/more' }, 990, '/var/lib/other'],
  ['a user', { HOME: '/home/u' }, 1000, '/home/u/.local/state/orphand'],
  ['a user with XDG_STATE_HOME', { HOME: '/home/u', XDG_STATE_HOME: '/s' }, 1000, '/s/orphand'],
  [
    'a relative XDG_STATE_HOME is no path',
    { HOME: '/home/u', XDG_STATE_HOME: 's' },
    1000,
    '/home/u/.local/state/orphand',
  ],
  ['a user without a home', {}, 1000, '/var/lib/orphand'],
];

t.test('journal and lock are where the one who runs orphand can write', (t) => {
  for (const [name, env, uid, directory] of homes)
    t.equal(defaultStateDirectory({ env, uid }), directory, name);
  t.end();
});

t.test('the defaults load neither the YAML reader nor the schema, so that a command starts fast', (t) => {
  const bundle = execFileSync(
    'npx',
    [
      'esbuild',
      '--bundle',
      '--packages=external',
      '--platform=node',
      '--format=esm',
      'src/config/defaults.ts',
    ],
    { encoding: 'utf8' },
  );
  t.notMatch(bundle, /from "/);
  t.end();
});
