import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Test } from 'tap';
import { defaultConfig } from '../../src/config/defaults.ts';
import { ConfigError } from '../../src/config/error.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Loaded } from '../../src/config/load.ts';
import type { Override } from '../../src/config/overrides.ts';
import { seteuid } from '../helpers/effective-ids.ts';

const root = { env: {}, uid: 0 };

/** The problems that loading a file with this text names, without the directory; [] where it is valid. */
async function problemsOf(t: Test, text: string | Uint8Array): Promise<string[]> {
  const directory = t.testdir();
  const path = join(directory, 'config.yaml');
  writeFileSync(path, text);
  try {
    await loadConfig({ path, ...root });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    t.equal(error.message, error.problems[0]);
    return error.problems.map((problem) => problem.replace(`${directory}/`, ''));
  }
}

async function loaded(
  t: Test,
  text: string,
  more: Partial<Parameters<typeof loadConfig>[0]> = {},
): Promise<Loaded> {
  const path = join(t.testdir(), 'config.yaml');
  writeFileSync(path, text);
  return await loadConfig({ path, ...root, ...more });
}

const bad: [name: string, text: string, problems: string[]][] = [
  [
    'an unknown key, with the line it is on',
    '# one\n\nsweep:\n  clean: off\n  shedule: "* * * * *"\n',
    ['config.yaml:5: sweep.shedule: unknown key, did you mean "schedule"?'],
  ],
  [
    'a key that lacks its section',
    'schedule: x',
    ['config.yaml:1: schedule: unknown key, did you mean "sweep.schedule"?'],
  ],
  [
    'a key like none',
    'http:\n  zzzzzz: 1',
    [
      'config.yaml:2: http.zzzzzz: unknown key (known here: listen, socket, socketGroup, tokenFile, allowRemote)',
    ],
  ],
  [
    'a key that every object has',
    'log:\n  constructor: 1',
    ['config.yaml:2: log.constructor: unknown key (known here: level)'],
  ],
  [
    'a key that sets a prototype',
    'log:\n  __proto__: {level: debug}',
    ['config.yaml:2: log.__proto__: unknown key (known here: level)'],
  ],
  [
    'a port that is none',
    'ports:\n  - 8091\n  - 70000\n',
    ['config.yaml:3: ports[1]: 70000 is not a port (1-65535)'],
  ],
  ['port 0', 'ports: [0]', ['config.yaml:1: ports[0]: 0 is not a port (1-65535)']],
  ['a port as text', 'ports: ["8091"]', ['config.yaml:1: ports[0]: "8091" is not a port (1-65535)']],
  ['a port with a fraction', 'ports: [80.5]', ['config.yaml:1: ports[0]: 80.5 is not a port (1-65535)']],
  ['a port that is not a number', 'ports: [.nan]', ['config.yaml:1: ports[0]: null is not a port (1-65535)']],
  ['one port for a list', 'ports: 8091', ['config.yaml:1: ports: 8091 is not a list of at most 1024 ports']],
  [
    'a bad port in a long form',
    'ports:\n  - port: 70000\n    service: x\n',
    ['config.yaml:2: ports[0].port: 70000 is not a port (1-65535)'],
  ],
  ['a long form without its port', 'ports:\n  - service: x\n', ['config.yaml:2: ports[0]: has no "port"']],
  [
    'an unknown key in a long form',
    'ports:\n  - port: 1\n    name: x\n',
    ['config.yaml:3: ports[0].name: unknown key (known here: port, service, protocol)'],
  ],
  [
    'a service with a line break',
    'ports: [{port: 1, service: "a\\nb"}]',
    [
      'config.yaml:1: ports[0].service: "a\\nb" is not a service name (letters, digits, dot, dash and underscore, at most 63)',
    ],
  ],
  [
    'a port twice',
    'ports:\n  - 8091\n  - 1\n  - port: 8091\n',
    ['config.yaml:4: ports[2]: 8091 is there already, as ports[0]'],
  ],
  [
    'a regular expression that is none, and why',
    "patterns:\n  - 'server(\\.py'\n",
    ['config.yaml:2: patterns[0]: "server(\\\\.py" is not a regular expression: unterminated group'],
  ],
  [
    'a pattern that matches every process',
    "patterns: ['a', 'x*']",
    ['config.yaml:1: patterns[1]: "x*" matches everything: every process would be the stack\'s'],
  ],
  ['an empty pattern', "patterns: ['']", ['config.yaml:1: patterns[0]: "" is not a regular expression']],
  [
    'a duration without a unit',
    'gracePeriod: 5',
    ['config.yaml:1: gracePeriod: 5 is not a duration of at most 24h (such as 500ms, 5s, 2m)'],
  ],
  [
    'a duration that would overflow a timer',
    'gracePeriod: 600h',
    ['config.yaml:1: gracePeriod: "600h" is not a duration of at most 24h (such as 500ms, 5s, 2m)'],
  ],
  [
    'two looks that are one',
    'clean:\n  confirmAfter: 0s',
    ['config.yaml:2: clean.confirmAfter: "0s" is too short: two looks less than 500ms apart are one'],
  ],
  [
    'a mode that is none',
    'sweep:\n  clean: all',
    ['config.yaml:2: sweep.clean: "all" is not one of off, orphans, suspects'],
  ],
  [
    'a value for a section',
    'clean: off',
    ['config.yaml:1: clean: "off" is not a section with keys of its own'],
  ],
  [
    'a schedule that is none',
    'sweep: {schedule: "61 * * * * *"}',
    [
      'config.yaml:1: sweep.schedule: "61 * * * * *" is not a cron expression (such as "*/15 * * * * *", every 15 seconds)',
    ],
  ],
  [
    'a key without a value',
    'stateDirectory:\nports:',
    [
      'config.yaml:1: stateDirectory: has no value: give it one, or leave the key out',
      'config.yaml:2: ports: has no value: give it one, or leave the key out',
    ],
  ],
  [
    'a relative state directory',
    'stateDirectory: state',
    ['config.yaml:1: stateDirectory: "state" is not an absolute path'],
  ],
  [
    'a listener for everyone',
    'http:\n  listen: 0.0.0.0:9713',
    [
      'config.yaml:2: http.listen: 0.0.0.0:9713 is not a loopback address: set http.allowRemote: true if others may reach it',
    ],
  ],
  [
    'a listener for everyone, in IPv6',
    'http:\n  listen: "[::]:9713"',
    [
      'config.yaml:2: http.listen: [::]:9713 is not a loopback address: set http.allowRemote: true if others may reach it',
    ],
  ],
  [
    'a host that only begins like loopback',
    'http: {listen: "127.evil.example:1"}',
    [
      'config.yaml:1: http.listen: 127.evil.example:1 is not a loopback address: set http.allowRemote: true if others may reach it',
    ],
  ],
  [
    'a listener without a port',
    'http: {listen: "127.0.0.1"}',
    ['config.yaml:1: http.listen: "127.0.0.1" is not host:port'],
  ],
  [
    'a listener on no port',
    'http: {listen: "127.0.0.1:70000"}',
    ['config.yaml:1: http.listen: 70000 is not a port (0-65535)'],
  ],
  [
    'yes for true',
    'http: {allowRemote: yes}',
    ['config.yaml:1: http.allowRemote: "yes" is not true or false'],
  ],
  ['no protocols', 'protocols: []', ['config.yaml:1: protocols: [] is not a list of tcp, udp or both']],
  ['a list for a file', '- 8091\n', ['config.yaml:1: [8091] is not a set of keys such as `ports:`']],
  ['a word for a file', 'hello\n', ['config.yaml:1: "hello" is not a set of keys such as `ports:`']],
  ['a key twice', 'maxTargets: 1\nmaxTargets: 2\n', ['config.yaml:2: not YAML: map keys must be unique']],
  [
    'two documents',
    'maxTargets: 1\n---\nmaxTargets: 2\n',
    ['config.yaml:2: not YAML: source contains multiple documents; please use YAML.parseAllDocuments()'],
  ],
  [
    'a bracket left open',
    'ports: [8091\n',
    [
      'config.yaml:2: not YAML: flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  ],
  [
    'an alias without an anchor',
    'ports: *x',
    ['config.yaml:1: not YAML: unresolved alias (the anchor must be set before the alias): x'],
  ],
];

t.test('what is wrong in a file is named with its line and with what would be right', async (t) => {
  for (const [name, text, problems] of bad) t.same(await problemsOf(t, text), problems, name);
});

t.test('a file that multiplies aliases is refused before it fills the memory', async (t) => {
  const levels = Array.from(
    { length: 30 },
    (_, n) => `k${n}: &a${n} [${n === 0 ? '1' : `*a${n - 1}, *a${n - 1}`}]`,
  );
  const [problem] = await problemsOf(t, levels.join('\n'));
  t.match(problem, /^config\.yaml:1: not YAML: .*alias/);
});

t.test('a file that is not UTF-8 text is refused', async (t) => {
  t.same(await problemsOf(t, Uint8Array.from([0x61, 0xff, 0xfe])), ['config.yaml: not UTF-8 text']);
});

const harmless: [name: string, text: string][] = [
  ['an empty file', ''],
  ['comments', '# ports: [1]\n'],
  ['an empty document', '---\n'],
  ['a section whose keys are commented out', 'sweep:\n  # clean: orphans\n'],
];

t.test('a file that says nothing is the defaults', async (t) => {
  for (const [name, text] of harmless) t.same((await loaded(t, text)).config, defaultConfig(root), name);
});

t.test('a file changes what it names and nothing else', async (t) => {
  const text = [
    'ports: [9000, {port: 8091}, {port: 53, service: dns, protocol: udp}]',
    'patterns: [my-server]',
    'containers: {labels: [stack=mine]}',
    'gracePeriod: 1.5s',
    'sweep: {clean: suspects, confirmAfter: 15s}',
    'http: {listen: "0.0.0.0:1", allowRemote: true}',
  ].join('\n');
  const { config, source } = await loaded(t, text);
  const defaults = defaultConfig(root);
  t.match(source, /config\.yaml$/);
  t.same(config, {
    ...defaults,
    ports: [
      { port: 9000, protocol: 'tcp', service: 'port-9000' },
      { port: 8091, protocol: 'tcp', service: 'aidb-http' },
      { port: 53, protocol: 'udp', service: 'dns' },
    ],
    patterns: ['my-server'],
    containers: { names: ['local-ai-*'], labels: ['stack=mine'], projects: [] },
    gracePeriodMs: 1_500,
    sweep: { ...defaults.sweep, clean: 'suspects', confirmAfterMs: 15_000 },
    http: { ...defaults.http, listen: '0.0.0.0:1', allowRemote: true },
  });
});

t.test('with two protocols every port is watched on both, default ports too', async (t) => {
  t.same((await loaded(t, 'protocols: [tcp, udp]\nports: [53]')).config.ports, [
    { port: 53, protocol: 'tcp', service: 'port-53' },
    { port: 53, protocol: 'udp', service: 'port-53' },
  ]);
  t.equal((await loaded(t, 'protocols: [tcp, udp]')).config.ports.length, 22);
});

t.test('flags beat the environment, that beats the file, that beats the defaults', async (t) => {
  const file = 'ports: [{port: 1, service: one}, 2]\ngracePeriod: 1s\nmaxTargets: 7';
  const env = { ORPHAND_GRACE_PERIOD: '2s', ORPHAND_PORTS: '2,1', ORPHAND_LOG_LEVEL: '' };
  const flags: Override[] = [{ key: 'gracePeriod', text: '3s', label: '--grace-period' }];
  const { config } = await loaded(t, file, { env, flags });
  t.equal(config.gracePeriodMs, 3_000);
  t.same(
    config.ports.map(({ port, service }) => [port, service]),
    [
      [1, 'one'],
      [2, 'port-2'],
    ],
    'a port keeps the name that the file gives it',
  );
  t.equal(config.maxTargets, 7);
  t.equal(config.log.level, 'info', 'an empty variable is an unset one');
});

const variables: [name: string, text: string, problem: string][] = [
  ['ORPHAND_PORTS', '70000', 'ORPHAND_PORTS: 70000 is not a port (1-65535)'],
  [
    'ORPHAND_SWEEP_CONFIRM_AFTER',
    '1x',
    'ORPHAND_SWEEP_CONFIRM_AFTER: "1x" is not a duration of at most 24h (such as 500ms, 5s, 2m)',
  ],
  ['ORPHAND_HTTP_ALLOW_REMOTE', '1', 'ORPHAND_HTTP_ALLOW_REMOTE: "1" is not true or false'],
  ['ORPHAND_MAX_TARGETS', 'many', 'ORPHAND_MAX_TARGETS: "many" is not a number of processes (1-100000)'],
  ['ORPHAND_PATTERNS', 'a\nb(', 'ORPHAND_PATTERNS: "b(" is not a regular expression: unterminated group'],
  ['ORPHAND_CONTAINERS_NAMES', ' , ', ''],
  [
    'ORPHAND_HTTP_LISTEN',
    '[::]:80',
    'ORPHAND_HTTP_LISTEN: [::]:80 is not a loopback address: set http.allowRemote: true if others may reach it',
  ],
  ['ORPHAND_CONFIG', '/no/such/file', '/no/such/file: no such file (ENOENT)'],
  ['ORPHAND_CONFIG', '/', '/: cannot be read (EISDIR): it is a directory'],
  ['ORPHAND_CONFIG', '/dev/zero', '/dev/zero: larger than 1048576 bytes, no configuration is'],
];

t.test('a bad variable is named as the variable that it is', async (t) => {
  for (const [name, text, problem] of variables) {
    const found = await loadConfig({ env: { [name]: text }, uid: 0 }).then(
      () => '',
      (error: unknown) => (error as Error).message,
    );
    t.equal(found, problem, name);
  }
});

t.test('a list in the environment is separated by commas, patterns by line breaks', async (t) => {
  const env = { ORPHAND_PATTERNS: 'a{1,2}\nb\n', ORPHAND_CONTAINERS_NAMES: 'one, two-*' };
  const { config } = await loadConfig({ env, uid: 0 });
  t.same(config.patterns, ['a{1,2}', 'b']);
  t.same(config.containers.names, ['one', 'two-*']);
});

t.test("a user's own file comes before the host's, and none at all is no error", async (t) => {
  const home = t.testdir();
  const env = { HOME: home };
  t.equal((await loadConfig({ env, uid: 1000 })).source, undefined);
  mkdirSync(join(home, '.config/orphand'), { recursive: true });
  writeFileSync(join(home, '.config/orphand/config.yaml'), 'maxTargets: 3');
  const { config, source } = await loadConfig({ env, uid: 1000 });
  t.equal(source, join(home, '.config/orphand/config.yaml'));
  t.equal(config.maxTargets, 3);
  t.equal((await loadConfig({ env, uid: 0 })).source, undefined, "root does not read a user's");
});

t.test('a file that is there and may not be read is an error, also where nobody asked for it', async (t) => {
  const home = t.testdir({ '.config': { orphand: { 'config.yaml': '' } } });
  const path = join(home, '.config/orphand/config.yaml');
  chmodSync(path, 0);
  // Root may read everything: for this one call it is somebody else.
  const root = process.getuid?.() === 0;
  const messageOf = async (sources: Parameters<typeof loadConfig>[0]): Promise<string> => {
    if (root) seteuid(65_534);
    try {
      await loadConfig(sources);
      return 'loaded';
    } catch (error) {
      return (error as Error).message;
    } finally {
      if (root) seteuid(0);
    }
  };
  const message = `${path}: cannot be read (EACCES): run with sudo, or make it readable`;
  t.equal(await messageOf({ path, env: {}, uid: 1000 }), message);
  t.equal(await messageOf({ env: { HOME: home }, uid: 1000 }), message);
});
